import { Injectable } from '@nestjs/common';
import { DateTime } from 'luxon';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { DeadlinesService } from '../../../platform/jobs/deadlines.service.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { UsersService } from '../../users/users.service.js';
import { BarredIdentitiesService } from '../barred-identities.service.js';
import { ComplianceService } from '../compliance.service.js';
import type { KycEvent } from './domain/kyc-machine.js';
import { type IdentityChange, KYC_DEADLINES, kycChanged } from './kyc.events.js';
import { KycHoldersRepository } from './kyc-holders.repository.js';
import { type KycChange, KycRepository } from './kyc.repository.js';
import { BY_ITSELF, type Decider, type KycCaseRow, type ProvedIdentity } from './kyc.types.js';

/** A case, its user and their gate, held until the commit. */
export interface HeldCase {
  readonly row: KycCaseRow;
  /** Somebody with this document is banned, until then (null: for good). */
  readonly ban: { readonly until: Date | null } | null;
  /** So many other accounts are verified by this document. */
  readonly elsewhere: number;
}

/**
 * What comes of a case, by whoever decides it: the state, what is known of the user's age, the audit log, and what they are told. All of
 * it joins the caller's transaction, which has taken the case by `hold`.
 */
@Injectable()
export class KycOutcomesService {
  constructor(
    private readonly repository: KycRepository,
    private readonly holders: KycHoldersRepository,
    private readonly compliance: ComplianceService,
    private readonly barred: BarredIdentitiesService,
    private readonly users: UsersService,
    private readonly deadlines: DeadlinesService,
    private readonly audit: AuditService,
    private readonly outbox: OutboxService,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Takes the locks in the order of all others: the document, so that of two accounts one is seen by the other; the stakes of who is
   * excluded by it, the gate, the user, the case. Whoever has excluded themselves elsewhere with this document is excluded here too, from now
   * on (UKGC SR 3.5.3). Null: there is no such case.
   */
  async hold(
    manager: EntityManager,
    { id, user_id: userId }: Pick<KycCaseRow, 'id' | 'user_id'>,
    numberIndex: Buffer | null,
  ): Promise<HeldCase | null> {
    const remembered = numberIndex && (await this.carryOver(manager, userId, numberIndex));
    await this.compliance.shutGate(manager, userId);
    await this.users.lock(manager, userId);
    const row = await this.repository.lock(manager, id);
    if (!row || numberIndex === null) return row && { row, ban: null, elsewhere: 0 };
    const ban =
      remembered ?? (await this.holders.banOfOthers(manager, numberIndex, userId, this.clock.now()));
    const others = await this.holders.othersVerified(manager, numberIndex, userId);
    return { row, ban, elsewhere: others.length };
  }

  /** Everything that was asked for is here. */
  async submit(manager: EntityManager, row: KycCaseRow): Promise<KycCaseRow | null> {
    return await this.move(manager, row, 'submit', { submittedAt: this.clock.now() }, BY_ITSELF, null);
  }

  /** The birth date that was seen becomes the user's, and is known to be true. UKGC LCCP 17.1.1. */
  async verify(
    manager: EntityManager,
    row: KycCaseRow,
    { birthDate, numberIndex, documentEnds }: ProvedIdentity,
    by: Decider,
  ): Promise<KycCaseRow | null> {
    const decidedAt = this.clock.now();
    const expiresAt = this.endOf(decidedAt, documentEnds);
    const change = { decidedAt, expiresAt, numberIndex };
    const moved = await this.move(manager, row, 'verify', change, by, 'identityVerified');
    if (!moved) return null;
    if (numberIndex) await this.barred.rememberExcluded(manager, row.user_id, [numberIndex]);
    await this.users.confirmAge(manager, row.user_id, birthDate);
    await this.deadlines.set(manager, KYC_DEADLINES.expire, { subject: row.id, dueAt: expiresAt });
    return moved;
  }

  async reject(manager: EntityManager, row: KycCaseRow, by: Decider): Promise<KycCaseRow | null> {
    const change = { decidedAt: this.clock.now() };
    return await this.move(manager, row, 'reject', change, by, 'identityRejected');
  }

  /** The user sends everything anew; a provider's own page stays open to them, unless it is an operator who asks. */
  async askAgain(manager: EntityManager, row: KycCaseRow, by: Decider): Promise<KycCaseRow | null> {
    const change = { nextRound: true, voidSession: by.operatorId !== null };
    return await this.move(manager, row, 'ask_again', change, by, 'identityAskedAgain');
  }

  /** It was believed wrongly: nothing that was known by it is known any more. */
  async revoke(manager: EntityManager, row: KycCaseRow, by: Decider): Promise<KycCaseRow | null> {
    const change = { decidedAt: this.clock.now() };
    const moved = await this.move(manager, row, 'revoke', change, by, 'identityRevoked');
    if (moved) await this.users.doubtAge(manager, row.user_id);
    return moved;
  }

  async reopen(manager: EntityManager, row: KycCaseRow, by: Decider): Promise<KycCaseRow | null> {
    const change = { nextRound: true, voidSession: true };
    return await this.move(manager, row, 'reopen', change, by, 'identityAskedAgain');
  }

  /** Once its time has come. People do not grow younger: the age stays known. */
  async expire(manager: EntityManager, row: KycCaseRow): Promise<void> {
    if (row.expires_at === null || row.expires_at > this.clock.now()) return;
    await this.move(manager, row, 'expire', {}, BY_ITSELF, 'identityExpired');
  }

  /** The ban of somebody who was erased. */
  private async carryOver(
    manager: EntityManager,
    userId: string,
    numberIndex: Buffer,
  ): Promise<HeldCase['ban']> {
    await this.holders.lock(manager, numberIndex);
    return await this.barred.carryOver(manager, userId, [numberIndex]);
  }

  private async move(
    manager: EntityManager,
    { id, user_id: userId }: KycCaseRow,
    event: KycEvent,
    change: KycChange,
    { operatorId, reason, note }: Decider,
    told: IdentityChange | null,
  ): Promise<KycCaseRow | null> {
    const moved = await this.repository.move(manager, id, event, {
      ...change,
      reason,
      note,
      decidedBy: operatorId,
    });
    if (!moved) return null;
    await this.audit.record(manager, {
      actorId: operatorId,
      action: `kyc.${moved.status.replace('_', '-')}`,
      subjectType: 'kyc_case',
      subjectId: id,
      details: { userId, ...(reason === null ? {} : { reason }) },
    });
    const state = moved.status;
    await this.outbox.publish(manager, kycChanged, { userId, caseId: id, state, change: told });
    return moved;
  }

  private endOf(from: Date, documentEnds: string | null): Date {
    const usual = DateTime.fromJSDate(from, { zone: 'utc' }).plus({
      months: this.rules.compliance.kyc.validMonths,
    });
    if (documentEnds === null) return usual.toJSDate();
    // Its last day is whole, wherever on earth it is longest.
    const last = DateTime.fromISO(documentEnds, { zone: 'utc' }).plus({ days: 1, hours: 12 });
    return DateTime.min(usual, last).toJSDate();
  }
}
