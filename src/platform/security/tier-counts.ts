import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { type RateLimitRule, Rules } from '../config/rules.js';
import { RateLimitStorage } from './rate-limit.storage.js';
import type { SubjectRequest } from './subject.js';

type Count = Awaited<ReturnType<RateLimitStorage['increment']>>;

/**
 * The count of a subject's requests. Authentication begins it as soon as the token tells who asks, so that it travels to
 * Redis in one packet with the question for the session; the guard behind it reads the answer.
 */
@Injectable()
export class TierCounts {
  private readonly begun = new WeakMap<SubjectRequest, Promise<Count>>();

  constructor(
    private readonly storage: RateLimitStorage,
    private readonly rules: Rules,
    private readonly config: AppConfig,
  ) {}

  begin(request: SubjectRequest, userId: string): void {
    const { limit, seconds } = this.rules.rateLimits.authenticated;
    this.begun.set(request, this.storage.increment(userId, seconds * 1000, this.scaled(limit), 0, 'default'));
  }

  /** The count that was begun for this request, if any. */
  of(request: SubjectRequest): Promise<Count> | undefined {
    return this.begun.get(request);
  }

  /** The rule of whoever asks. */
  ruleOf(request: SubjectRequest): RateLimitRule {
    const { authenticated, anonymous } = this.rules.rateLimits;
    return request.subject === undefined ? anonymous : authenticated;
  }

  scaled(limit: number): number {
    return Math.max(1, Math.floor(limit * this.config.RATE_LIMIT_FACTOR));
  }
}
