import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { ComplianceRepository } from './compliance.repository.js';
import { type Bars, explain } from './domain/explain.js';
import type { ComplianceStatusDto } from './dto/compliance-status.dto.js';
import { ExclusionsRepository } from './exclusions.repository.js';

/** Tells a user plainly what they may do and what not, since when, until when, and what to do about it. */
@Injectable()
export class ComplianceStatusService {
  constructor(
    private readonly repository: ComplianceRepository,
    private readonly exclusions: ExclusionsRepository,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  async status(userId: string): Promise<ComplianceStatusDto> {
    const now = this.clock.now();
    const [refusal, active, pending] = await Promise.all([
      this.repository.refusal(userId, now, this.rules.auth.minimumAge),
      this.repository.activeAt(userId, now),
      this.exclusions.pendingReturn(userId, now),
    ]);
    const bars: Bars = {
      refusal: refusal.code,
      ofAgeAt: refusal.of_age_at,
      restrictions: active.map(({ kind, starts_at: startsAt, ends_at: endsAt }) => ({
        kind,
        startsAt,
        endsAt,
      })),
      pendingReturn: pending && { askedAt: pending.asked_at, effectiveAt: pending.effective_at },
    };
    const { since, until, returnFrom, returnsAt, advice } = explain(bars, now);
    return {
      mayStake: refusal.code === null,
      refusal: refusal.code,
      since: since?.toISOString() ?? null,
      until: until?.toISOString() ?? null,
      returnFrom: returnFrom?.toISOString() ?? null,
      returnsAt: returnsAt?.toISOString() ?? null,
      may: refusal.code === null ? [...ALWAYS, ...PLAY] : [...ALWAYS],
      advice,
      restrictions: bars.restrictions.map(({ kind, startsAt, endsAt }) => ({
        kind,
        startsAt: startsAt.toISOString(),
        endsAt: endsAt?.toISOString() ?? null,
      })),
    };
  }
}

/** What nothing takes away from whoever is signed in. */
const ALWAYS = ['read', 'withdraw', 'export', 'close_account', 'exclude'] as const;
const PLAY = ['stake', 'deposit', 'buy'] as const;
