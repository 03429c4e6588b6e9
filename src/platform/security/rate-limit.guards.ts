import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerLimitDetail } from '@nestjs/throttler';
import type { Response } from 'express';
import { HandlerMetadata } from '../http/handler-metadata.js';
import { httpErrors } from '../http/http.errors.js';
import { FLOOD } from './rate-limit.storage.js';
import type { SubjectRequest } from './subject.js';
import { TierCounts } from './tier-counts.js';

/** What `@Throttle` and `@SkipThrottle` leave on a route, each with the limit's name behind it. */
const OWN_RULES = ['SKIP', 'LIMIT', 'TTL', 'BLOCK_DURATION', 'TRACKER', 'KEY_GENERATOR'];

/**
 * Shared by both guards: standard header names, our error, and a short way past the library's general one. That looks up six
 * decorators at each request; a route that has none of them, as nearly all, is known after its first.
 */
abstract class RateLimitGuard extends ThrottlerGuard {
  protected override headerPrefix = 'RateLimit';
  protected abstract readonly tier: string;
  private ownRules: HandlerMetadata<unknown>[] = [];

  override async onModuleInit(): Promise<void> {
    await super.onModuleInit();
    this.throttlers = this.throttlers.filter(({ name }) => name === this.tier);
    this.ownRules = OWN_RULES.map((rule) => new HandlerMetadata(`THROTTLER:${rule}${this.tier}`));
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    for (const rule of this.ownRules)
      if (rule.of(context) !== undefined) return await super.canActivate(context);
    const http = context.switchToHttp();
    return await this.admit(http.getRequest<SubjectRequest>(), http.getResponse<Response>());
  }

  /** By the limit that holds for every route without one of its own. */
  protected abstract admit(request: SubjectRequest, response: Response): Promise<boolean>;

  protected refuse(limit: number, retryAfter: number): never {
    throw httpErrors.RATE_LIMITED({ limit, retryAfter });
  }

  protected override throwThrottlingException(
    _: ExecutionContext,
    detail: Pick<ThrottlerLimitDetail, 'limit' | 'timeToBlockExpire'>,
  ): Promise<void> {
    this.refuse(detail.limit, detail.timeToBlockExpire);
  }
}

/** First of all guards: a generous limit by address, so that floods cost next to nothing. */
@Injectable()
export class FloodGuard extends RateLimitGuard {
  protected override readonly tier = FLOOD;

  @Inject(TierCounts)
  private readonly counts: TierCounts;

  protected override async admit(request: SubjectRequest): Promise<boolean> {
    const { limit, seconds } = this.counts.flood;
    const tracker = await this.getTracker(request);
    const count = await this.storageService.increment(tracker, seconds * 1000, limit, 0, this.tier);
    if (count.isBlocked) this.refuse(limit, count.timeToBlockExpire);
    return true;
  }
}

/** After authentication: the limit of the subject's tier, or of the address when nobody is signed in. */
@Injectable()
export class TierGuard extends RateLimitGuard {
  protected override readonly tier = 'default';

  @Inject(TierCounts)
  private readonly counts: TierCounts;

  protected override async admit(request: SubjectRequest, response: Response): Promise<boolean> {
    const { limit, seconds } = this.counts.ruleOf(request);
    const { totalHits, timeToExpire, isBlocked, timeToBlockExpire } = await (this.counts.of(request) ??
      this.storageService.increment(await this.getTracker(request), seconds * 1000, limit, 0, this.tier));
    if (isBlocked) this.refuse(limit, timeToBlockExpire);
    response.setHeader('RateLimit-Limit', limit);
    response.setHeader('RateLimit-Remaining', Math.max(0, limit - totalHits));
    response.setHeader('RateLimit-Reset', timeToExpire);
    return true;
  }
}
