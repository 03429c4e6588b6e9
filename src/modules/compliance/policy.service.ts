import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import type { Place } from '../../platform/geo/place.js';
import type { Declaration } from '../../platform/security/operates.decorator.js';
import type { Subject } from '../../platform/security/subject.js';
import { barredError } from './compliance.errors.js';
import { ComplianceRepository } from './compliance.repository.js';
import { type Bar, decide, type PolicySubject, type Refusal } from './domain/policy.js';
import { JurisdictionsService } from './jurisdictions.service.js';

/** Asks the policy of somebody, somewhere, now: for guards, services and sockets alike. */
@Injectable()
export class PolicyService {
  constructor(
    private readonly jurisdictions: JurisdictionsService,
    private readonly repository: ComplianceRepository,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** What the policy says; null is yes. */
  judge(subject: PolicySubject | null, asked: Declaration, place: Place): Refusal | null {
    return decide(subject, asked, {
      jurisdiction: this.jurisdictions.of(place),
      minimumAge: this.rules.auth.minimumAge,
      now: this.clock.now(),
    });
  }

  /**
   * Throws the refusal: GEO_BLOCKED, UNDER_AGE, AGE_NOT_VERIFIED, REALITY_CHECK_DUE, SELF_EXCLUDED, TIMED_OUT. What bars a stake or a deposit is
   * looked at by the statement that books it, in the user's gate, so it is not read here.
   */
  require(subject: Subject | null, asked: Declaration, place: Place, bars: readonly Bar[] = []): void {
    const refusal = this.judge(subject && { ...subject, bars }, asked, place);
    if (refusal !== null) throw this.errorOf(refusal, asked, place);
  }

  errorOf({ code, reason, until }: Refusal, { product }: Declaration, { country, region }: Place): Error {
    const geo = code === 'GEO_BLOCKED' ? { country, region, product } : {};
    return barredError(code, { reason, ...(until === null ? {} : { until: until.toISOString() }), ...geo });
  }

  /** The same of who is not there, as with the renewal of a subscription: without what belongs to a session, and without bars. */
  async judgeAbsent(
    manager: EntityManager,
    userId: string,
    asked: Declaration,
    place: Place,
  ): Promise<Refusal | null> {
    const { birth_date: birthDate, verified: ageVerified } = await this.repository.ageOf(manager, userId);
    return this.judge(
      { bars: [], birthDate, ageVerified, checkedAt: null, checkMinutes: null },
      asked,
      place,
    );
  }

  /** What bars the user now, but for a ban, which no session outlives. */
  async barsOf(userId: string): Promise<Bar[]> {
    const restrictions = await this.repository.activeAt(userId, this.clock.now());
    return restrictions.map(({ kind, ends_at: until }) => ({ kind, until }));
  }
}
