import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerLimitDetail, type ThrottlerRequest } from '@nestjs/throttler';
import { httpErrors } from '../http/http.errors.js';
import { FLOOD } from './rate-limit.storage.js';
import type { SubjectRequest } from './subject.js';
import { TierCounts } from './tier-counts.js';

/** Shared by both guards: standard header names and our error. */
abstract class RateLimitGuard extends ThrottlerGuard {
  protected override headerPrefix = 'RateLimit';
  protected abstract readonly tier: string;

  override async onModuleInit(): Promise<void> {
    await super.onModuleInit();
    this.throttlers = this.throttlers.filter(({ name }) => name === this.tier);
  }

  protected override throwThrottlingException(
    _: ExecutionContext,
    detail: Pick<ThrottlerLimitDetail, 'limit' | 'timeToBlockExpire'>,
  ): Promise<void> {
    throw httpErrors.RATE_LIMITED({ limit: detail.limit, retryAfter: detail.timeToBlockExpire });
  }
}

/** First of all guards: a generous limit by address, so that floods cost next to nothing. */
@Injectable()
export class FloodGuard extends RateLimitGuard {
  protected override readonly tier = FLOOD;
}

/** After authentication: the limit of the subject's tier, or of the address when nobody is signed in. */
@Injectable()
export class TierGuard extends RateLimitGuard {
  protected override readonly tier = 'default';

  @Inject(TierCounts)
  private readonly counts: TierCounts;

  protected override async handleRequest(props: ThrottlerRequest): Promise<boolean> {
    const { req, res } = this.getRequestResponse(props.context);
    const begun = this.counts.of(req as SubjectRequest);
    if (!begun) return await super.handleRequest(props);
    const { limit } = props;
    const { totalHits, timeToExpire, isBlocked, timeToBlockExpire } = await begun;
    if (isBlocked) await this.throwThrottlingException(props.context, { limit, timeToBlockExpire });
    this.setResponseHeader(res, 'RateLimit-Limit', limit);
    this.setResponseHeader(res, 'RateLimit-Remaining', Math.max(0, limit - totalHits));
    this.setResponseHeader(res, 'RateLimit-Reset', timeToExpire);
    return true;
  }
}
