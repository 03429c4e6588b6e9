import { type ExecutionContext, Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ThrottlerModule } from '@nestjs/throttler';
import { AdminRoutes } from './admin-routes.js';
import { BlindIndex } from './blind-index.js';
import { DpopProofs } from './dpop-proofs.js';
import { Captcha } from './captcha/captcha.service.js';
import { KeyRing } from './key-ring.js';
import { KeyRotationRepository } from './key-rotation.repository.js';
import { KeyRotationService } from './key-rotation.service.js';
import { PasswordHasher } from './password-hasher.js';
import { RateLimitModule } from './rate-limit.module.js';
import { FLOOD, RateLimitStorage } from './rate-limit.storage.js';
import type { SubjectRequest } from './subject.js';
import { TierCounts } from './tier-counts.js';

@Global()
@Module({
  imports: [
    DiscoveryModule,
    RateLimitModule,
    ThrottlerModule.forRootAsync({
      inject: [RateLimitStorage, TierCounts],
      useFactory: (storage: RateLimitStorage, counts: TierCounts) => {
        const ruleOf = (context: ExecutionContext) =>
          counts.ruleOf(context.switchToHttp().getRequest<SubjectRequest>());
        return {
          storage,
          generateKey: (_context: ExecutionContext, tracker: string) => tracker,
          throttlers: [
            {
              name: FLOOD,
              limit: counts.flood.limit,
              ttl: counts.flood.seconds * 1000,
              setHeaders: false,
            },
            {
              name: 'default',
              limit: (context) => ruleOf(context).limit,
              ttl: (context) => ruleOf(context).seconds * 1000,
            },
          ],
        };
      },
    }),
  ],
  providers: [
    AdminRoutes,
    DpopProofs,
    PasswordHasher,
    KeyRing,
    BlindIndex,
    KeyRotationRepository,
    KeyRotationService,
    Captcha,
  ],
  exports: [DpopProofs, PasswordHasher, KeyRing, BlindIndex, Captcha, ThrottlerModule],
})
export class SecurityModule {}
