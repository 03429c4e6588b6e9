import { Injectable } from '@nestjs/common';
import { Rules } from '../../../platform/config/rules.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { RateLimitStorage } from '../../../platform/security/rate-limit.storage.js';
import { TierCounts } from '../../../platform/security/tier-counts.js';
import { networksOf } from '../domain/networks.js';

/** How many codes one subscriber's network or user may have sent, to whatever numbers: each costs money. */
@Injectable()
export class OtpSendLimitService {
  constructor(
    private readonly storage: RateLimitStorage,
    private readonly counts: TierCounts,
    private readonly rules: Rules,
  ) {}

  /** Throws RATE_LIMITED. */
  async take(address: string, userId: string | null): Promise<void> {
    await this.count(networksOf(address).address);
    if (userId !== null) await this.count(userId);
  }

  private async count(subject: string): Promise<void> {
    const { limit: unscaled, seconds } = this.rules.rateLimits.otpSend;
    const limit = this.counts.scaled(unscaled);
    const count = await this.storage.increment(subject, seconds * 1000, limit, 0, 'otp-send');
    if (count.isBlocked) throw httpErrors.RATE_LIMITED({ limit, retryAfter: count.timeToBlockExpire });
  }
}
