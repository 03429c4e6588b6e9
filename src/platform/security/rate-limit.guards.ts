import { type ExecutionContext, Injectable } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerLimitDetail } from '@nestjs/throttler';
import type { SubjectRequest } from './subject.js';
import { httpErrors } from '../http/http.errors.js';

/** Shared by both guards: standard header names and our error. */
abstract class RateLimitGuard extends ThrottlerGuard {
  protected override headerPrefix = 'RateLimit';
  protected abstract readonly tier: string;

  override async onModuleInit(): Promise<void> {
    await super.onModuleInit();
    this.throttlers = this.throttlers.filter(({ name }) => name === this.tier);
  }

  protected override throwThrottlingException(_: ExecutionContext, detail: ThrottlerLimitDetail): Promise<void> {
    throw httpErrors.RATE_LIMITED({ limit: detail.limit, retryAfter: detail.timeToBlockExpire });
  }
}

/** First of all guards: a generous limit by address, so that floods cost next to nothing. */
@Injectable()
export class FloodGuard extends RateLimitGuard {
  protected override readonly tier = 'flood';
}

/** After authentication: the limit of the subject's tier, or of the address when nobody is signed in. */
@Injectable()
export class TierGuard extends RateLimitGuard {
  protected override readonly tier = 'default';

  protected override getTracker(request: SubjectRequest): Promise<string> {
    return request.subject ? Promise.resolve(request.subject.userId) : super.getTracker(request);
  }
}
