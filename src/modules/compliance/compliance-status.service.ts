import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import type { Place } from '../../platform/geo/place.js';
import {
  type Declaration,
  type OperationClass,
  type Product,
  PRODUCTS,
} from '../../platform/security/operates.decorator.js';
import type { Subject } from '../../platform/security/subject.js';
import { ComplianceRepository } from './compliance.repository.js';
import { ofAgeAt } from './domain/age.js';
import { type Bars, explain } from './domain/explain.js';
import type { Bar } from './domain/policy.js';
import type { AllowedDto, ComplianceStatusDto } from './dto/compliance-status.dto.js';
import { ExclusionsRepository } from './exclusions.repository.js';
import { JurisdictionsService } from './jurisdictions.service.js';
import { PolicyService } from './policy.service.js';

/** What is told of: what costs money for each product, and the rest. */
const ASKED: readonly (readonly [OperationClass, Product | null])[] = [
  ...PRODUCTS.filter((product) => product !== 'social').map((product) => ['stake', product] as const),
  ['deposit', null],
  ['withdraw', null],
  ['social', 'social'],
  ['read', null],
];
const STAKE: Declaration = { operation: 'stake', product: null };
/** What nothing takes away from whoever is signed in. */
const ALWAYS = ['read', 'withdraw', 'export', 'close_account', 'exclude'] as const;
const PLAY = ['stake', 'deposit', 'buy'] as const;

/** Tells a user plainly what they may do and what not, since when, until when, and what to do about it. */
@Injectable()
export class ComplianceStatusService {
  constructor(
    private readonly repository: ComplianceRepository,
    private readonly exclusions: ExclusionsRepository,
    private readonly policy: PolicyService,
    private readonly jurisdictions: JurisdictionsService,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  async status(subject: Subject, place: Place): Promise<ComplianceStatusDto> {
    const now = this.clock.now();
    const [active, pending] = await Promise.all([
      this.repository.activeAt(subject.userId, now),
      this.exclusions.pendingReturn(subject.userId, now),
    ]);
    const bars = active.map(({ kind, ends_at: until }) => ({ kind, until }));
    const refusal = this.policy.judge({ ...subject, bars }, STAKE, place)?.code ?? null;
    const minimumAge = this.minimumAgeAt(place);
    const known: Bars = {
      refusal,
      ofAgeAt: ofAgeAt(subject.birthDate, minimumAge, this.jurisdictions.ofAnywhere(place).zone),
      restrictions: active.map(({ kind, starts_at: startsAt, ends_at: endsAt }) => ({
        kind,
        startsAt,
        endsAt,
      })),
      pendingReturn: pending && { askedAt: pending.asked_at, effectiveAt: pending.effective_at },
    };
    const { since, until, returnFrom, returnsAt, advice } = explain(known, now);
    return {
      mayStake: refusal === null,
      refusal,
      since: since?.toISOString() ?? null,
      until: until?.toISOString() ?? null,
      returnFrom: returnFrom?.toISOString() ?? null,
      returnsAt: returnsAt?.toISOString() ?? null,
      may: refusal === null ? [...ALWAYS, ...PLAY] : [...ALWAYS],
      advice,
      restrictions: known.restrictions.map(({ kind, startsAt, endsAt }) => ({
        kind,
        startsAt: startsAt.toISOString(),
        endsAt: endsAt?.toISOString() ?? null,
      })),
      place: { country: place.country, region: place.region },
      minimumAge,
      ageVerified: subject.ageVerified,
      operations: this.told(subject, bars, place),
    };
  }

  private told(subject: Subject, bars: readonly Bar[], place: Place): AllowedDto[] {
    return ASKED.map(([operation, product]) => {
      const refusal = this.policy.judge({ ...subject, bars }, { operation, product }, place);
      return {
        operation,
        product,
        allowed: refusal === null,
        refusal: refusal?.code ?? null,
        reason: refusal?.reason ?? null,
        until: refusal?.until?.toISOString() ?? null,
      };
    });
  }

  private minimumAgeAt(place: Place): number {
    return Math.max(this.rules.auth.minimumAge, this.jurisdictions.ofAnywhere(place).minimumAge);
  }
}
