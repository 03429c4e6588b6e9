import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import { PersonalDataService } from '../../platform/privacy/personal-data.service.js';
import { BarredDevicesService } from './barred-devices.service.js';
import { BarredIdentitiesRepository } from './barred-identities.repository.js';
import { selfExcluded } from './compliance.events.js';
import { ComplianceRepository } from './compliance.repository.js';
import { endsLater } from './domain/exclusion-term.js';
import { type ExclusionRow, ExclusionsRepository } from './exclusions.repository.js';
import { OpenStakesPort } from './open-stakes.port.js';

const DAY_MS = 86_400_000;

/** What bars a user from staking. The debiting statements ask `compliance_refusal` themselves, inside the user's gate. */
@Injectable()
export class ComplianceService {
  constructor(
    private readonly repository: ComplianceRepository,
    private readonly exclusions: ExclusionsRepository,
    private readonly stakes: OpenStakesPort,
    private readonly barred: BarredIdentitiesRepository,
    private readonly devices: BarredDevicesService,
    private readonly personalData: PersonalDataService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** Starts a time-out at once: it blocks and cannot be taken back (UKGC SR 3.3.1: 1 day to 6 weeks). */
  async timeOut(userId: string, days: number): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      await this.repository.shutGate(manager, userId);
      const now = this.clock.now();
      await this.repository.insert(manager, {
        id: newId(),
        user_id: userId,
        kind: 'time_out',
        starts_at: now,
        ends_at: new Date(now.getTime() + days * DAY_MS),
      });
    });
  }

  /**
   * Excludes at once, and gives back the stakes on what has not begun, in one transaction: the gate waits for stakes in flight, and
   * once this has committed none is accepted. `endsAt` null is for ever. The exclusion that stands when it ends no earlier.
   * `fingerprint` is of the device on which it is asked for, if that is known.
   */
  async exclude(
    userId: string,
    endsAt: Date | null,
    fingerprint: string | null = null,
  ): Promise<ExclusionRow> {
    return await this.unitOfWork.run(
      async (manager) => await this.excludeIn(manager, userId, endsAt, fingerprint),
    );
  }

  /** The same, in the caller's transaction. */
  async excludeIn(
    manager: EntityManager,
    userId: string,
    endsAt: Date | null,
    fingerprint: string | null = null,
  ): Promise<ExclusionRow> {
    const refund = await this.stakes.hold(manager, userId);
    await this.repository.shutGate(manager, userId);
    const at = this.clock.now();
    const standing = await this.exclusions.findBarring(manager, userId, at);
    if (standing && !endsLater(endsAt, standing.ends_at)) {
      await this.devices.remember(manager, userId, fingerprint);
      return standing;
    }
    const id = newId();
    const stakes = await refund({ id, at });
    await this.exclusions.insert(manager, { id, userId, startsAt: at, endsAt, stakes });
    const identities = await this.personalData.identitiesOf(manager, userId);
    await this.barred.remember(manager, userId, identities, at);
    await this.devices.remember(manager, userId, fingerprint);
    await this.audit.record(manager, {
      actorId: userId,
      action: 'compliance.self-exclusion',
      subjectType: 'user',
      subjectId: userId,
      details: { exclusionId: id, until: endsAt?.toISOString() ?? null, ...stakes },
    });
    await this.outbox.publish(manager, selfExcluded, { userId, exclusionId: id });
    const { refundedBets, refundedCredits, standingBets } = stakes;
    return {
      id,
      starts_at: at,
      ends_at: endsAt,
      refunded_bets: refundedBets,
      refunded_credits: String(refundedCredits),
      standing_bets: standingBets,
    };
  }

  /** For whoever changes what bars a user: waits for their stakes in flight and holds off the ones to come until the commit. */
  async shutGate(manager: EntityManager, userId: string): Promise<void> {
    await this.repository.shutGate(manager, userId);
  }

  /**
   * For whoever takes a user's money: the code of what bars them, which stays true until the commit. Take it after the locks of
   * rows: gates come last. `barredError` makes the error of it.
   */
  async enterGate(manager: EntityManager, userId: string): Promise<string | null> {
    return await this.repository.enterGate(manager, userId, this.rules.auth.minimumAge);
  }
}
