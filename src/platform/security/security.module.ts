import { type ExecutionContext, Global, Module } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import { AppConfig } from '../config/app-config.js';
import { Rules } from '../config/rules.js';
import { RedisConnections } from '../redis/redis-connections.js';
import { PasswordHasher } from './password-hasher.js';
import { RateLimitStorage } from './rate-limit.storage.js';
import type { SubjectRequest } from './subject.js';

const isSignedIn = (context: ExecutionContext): boolean =>
  context.switchToHttp().getRequest<SubjectRequest>().subject !== undefined;

@Global()
@Module({
  imports: [
    ThrottlerModule.forRootAsync({
      inject: [Rules, AppConfig, RedisConnections],
      useFactory: ({ rateLimits }: Rules, config: AppConfig, redis: RedisConnections) => {
        const scaled = (limit: number) => Math.max(1, Math.floor(limit * config.RATE_LIMIT_FACTOR));
        const tierOf = (context: ExecutionContext) =>
          isSignedIn(context) ? rateLimits.authenticated : rateLimits.anonymous;
        return {
          storage: new RateLimitStorage(redis, config),
          generateKey: (_context: ExecutionContext, tracker: string) => tracker,
          throttlers: [
            {
              name: 'flood',
              limit: scaled(rateLimits.flood.limit),
              ttl: rateLimits.flood.seconds * 1000,
              setHeaders: false,
            },
            {
              name: 'default',
              limit: (context) => scaled(tierOf(context).limit),
              ttl: (context) => tierOf(context).seconds * 1000,
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
