import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { ComplianceRepository, type RestrictionRow } from './compliance.repository.js';
import type { ComplianceStatusDto } from './dto/compliance-status.dto.js';

const DAY_MS = 86_400_000;

/** What bars a user from staking. The debiting statements ask `compliance_refusal` themselves, inside the user's gate. */
@Injectable()
export class ComplianceService {
  constructor(
    private readonly repository: ComplianceRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** Starts a time-out at once: it blocks and cannot be taken back (UKGC SR 3.3.1: 1 day to 6 weeks). */
  async timeOut(userId: string, days: number): Promise<ComplianceStatusDto> {
    const now = this.clock.now();
    await this.restrict(userId, 'time_out', now, new Date(now.getTime() + days * DAY_MS));
    return await this.status(userId);
  }

  /** Excludes at once. `endsAt` null is for ever. */
  async exclude(userId: string, endsAt: Date | null): Promise<void> {
    await this.restrict(userId, 'self_exclusion', this.clock.now(), endsAt);
  }

  /**
   * For whoever takes a user's money: the code of what bars them, which stays true until the commit. Take it after the locks of
   * rows: gates come last. `barredError` makes the error of it.
   */
  async enterGate(manager: EntityManager, userId: string): Promise<string | null> {
    return await this.repository.enterGate(manager, userId, this.rules.auth.minimumAge);
  }

  /** Tells a user plainly whether they may stake, why not, and until when. */
  async status(userId: string): Promise<ComplianceStatusDto> {
    const now = this.clock.now();
    const [refusal, active] = await Promise.all([
      this.repository.refusal(userId, now, this.rules.auth.minimumAge),
      this.repository.activeAt(userId, now),
    ]);
    return {
      mayStake: refusal === null,
      refusal,
      restrictions: active.map((row) => ({
        kind: row.kind,
        startsAt: row.starts_at.toISOString(),
        endsAt: row.ends_at?.toISOString() ?? null,
      })),
    };
  }

  /** The gate waits for stakes in flight; once this has committed, none is accepted. */
  private async restrict(
    userId: string,
    kind: RestrictionRow['kind'],
    now: Date,
    endsAt: Date | null,
  ): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      await this.repository.shutGate(manager, userId);
      await this.repository.insert(manager, {
        id: newId(),
        user_id: userId,
        kind,
        starts_at: now,
        ends_at: endsAt,
      });
    });
  }
}
