import { Global, Module } from '@nestjs/common';
import { RateLimitStorage } from './rate-limit.storage.js';
import { TierCounts } from './tier-counts.js';

@Global()
@Module({ providers: [RateLimitStorage, TierCounts], exports: [RateLimitStorage, TierCounts] })
export class RateLimitModule {}
