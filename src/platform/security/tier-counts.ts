import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import type { RateLimitRule } from '../config/rate-limit-rules.js';
import { Rules } from '../config/rules.js';
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

  /** The limit by address that every request passes first. */
  readonly flood: RateLimitRule;
  private readonly anonymous: RateLimitRule;
  private readonly authenticated: RateLimitRule;

  constructor(
    private readonly storage: RateLimitStorage,
    { rateLimits }: Rules,
    private readonly config: AppConfig,
  ) {
    const scaled = ({ limit, seconds }: RateLimitRule) => ({ limit: this.scaled(limit), seconds });
    this.flood = scaled(rateLimits.flood);
    this.anonymous = scaled(rateLimits.anonymous);
    this.authenticated = scaled(rateLimits.authenticated);
  }

  /** A limit multiplied by RATE_LIMIT_FACTOR. */
  scaled(limit: number): number {
    return Math.max(1, Math.floor(limit * this.config.RATE_LIMIT_FACTOR));
  }

  begin(request: SubjectRequest, userId: string): void {
    const { limit, seconds } = this.authenticated;
    this.begun.set(request, this.storage.increment(userId, seconds * 1000, limit, 0, 'default'));
  }

  /** Takes back what was begun for a request that turned out not to be its user's. */
  async giveBack(request: SubjectRequest, userId: string): Promise<void> {
    await this.begun.get(request);
    await this.storage.giveBack(userId, this.authenticated.seconds * 1000, 'default');
  }

  /** The count that was begun for this request, if any. */
  of(request: SubjectRequest): Promise<Count> | undefined {
    return this.begun.get(request);
  }

  /** The rule of whoever asks, multiplied by RATE_LIMIT_FACTOR. */
  ruleOf(request: SubjectRequest): RateLimitRule {
    return request.subject === undefined ? this.anonymous : this.authenticated;
  }
}
