import { type ExecutionContext, Global, Module } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import { Rules } from '../config/rules.js';
import { PasswordHasher } from './password-hasher.js';
import { RateLimitModule } from './rate-limit.module.js';
import { FLOOD, RateLimitStorage } from './rate-limit.storage.js';
import type { SubjectRequest } from './subject.js';
import { TierCounts } from './tier-counts.js';

@Global()
@Module({
  imports: [
    RateLimitModule,
    ThrottlerModule.forRootAsync({
      inject: [Rules, RateLimitStorage, TierCounts],
      useFactory: ({ rateLimits }: Rules, storage: RateLimitStorage, counts: TierCounts) => {
        const ruleOf = (context: ExecutionContext) =>
          counts.ruleOf(context.switchToHttp().getRequest<SubjectRequest>());
        return {
          storage,
          generateKey: (_context: ExecutionContext, tracker: string) => tracker,
          throttlers: [
            {
              name: FLOOD,
              limit: counts.scaled(rateLimits.flood.limit),
              ttl: rateLimits.flood.seconds * 1000,
              setHeaders: false,
            },
            {
              name: 'default',
              limit: (context) => counts.scaled(ruleOf(context).limit),
              ttl: (context) => ruleOf(context).seconds * 1000,
            },
          ],
        };
      },
    }),
  ],
  providers: [PasswordHasher],
  exports: [PasswordHasher, ThrottlerModule],
})
export class SecurityModule {}
