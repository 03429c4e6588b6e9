import { Global, Module } from '@nestjs/common';
import { RateLimitStorage } from './rate-limit.storage.js';
import { EarlyAsks } from './early-asks.js';
import { TierCounts } from './tier-counts.js';

@Global()
@Module({
  providers: [RateLimitStorage, TierCounts, EarlyAsks],
  exports: [RateLimitStorage, TierCounts, EarlyAsks],
})
export class RateLimitModule {}
