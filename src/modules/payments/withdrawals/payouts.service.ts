import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { DeadlinesService } from '../../../platform/jobs/deadlines.service.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { UsersService } from '../../users/users.service.js';
import { LedgerService } from '../../wallet/ledger.service.js';
import { askAgainAt } from '../domain/asking.js';
import { clearing } from '../payment-facts.js';
import { PaymentProviders } from '../payment-providers.js';
import { type PayoutHandler, type PayoutOutcome, PayoutPort } from '../payout.port.js';
import type { PayoutOrder, ProviderState } from '../provider.js';
import { WithdrawalAnswers } from './withdrawal-answers.js';
import { WITHDRAWAL_DEADLINES, withdrawalApproved, withdrawalChanged } from './withdrawals.events.js';
import { WithdrawalsRepository } from './withdrawals.repository.js';
import type { WithdrawalRow } from './withdrawals.types.js';

/** In `review` of what was held back: an operator who approves it has seen it. */
const BANNED = 'banned';

/**
 * Paying out what was approved, once. Nothing is asked of a provider before it is written down that it will be, under the
 * withdrawal's own id: whoever comes later, after a crash or an answer that was lost, asks what became of it first.
 */
@Injectable()
export class PayoutsService implements PayoutHandler, OnModuleInit {
  private readonly logger = new Logger('Payouts');

  constructor(
    private readonly repository: WithdrawalsRepository,
    private readonly answers: WithdrawalAnswers,
    private readonly providers: PaymentProviders,
    private readonly port: PayoutPort,
    private readonly users: UsersService,
    private readonly ledger: LedgerService,
    private readonly deadlines: DeadlinesService,
    private readonly audit: AuditService,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  onModuleInit(): void {
    this.port.register(this);
  }

  /** In the transaction that approves it. Its deadline stands in Postgres, so that a job that is lost holds nobody's money up. */
  async order(manager: EntityManager, id: string): Promise<void> {
    await this.outbox.publish(manager, withdrawalApproved, { withdrawalId: id });
    await this.askLater(manager, { id, checks: 0 });
  }

  /** Takes a withdrawal on from where it stands. Throws when the provider gives no answer: what became of it is asked later. */
  async pay(id: string): Promise<void> {
    const begun = await this.unitOfWork.run((manager) => this.begin(manager, id));
    if (!begun) return;
    const { row, asked } = begun;
    const provider = this.providers.get(row.provider);
    const known = asked
      ? await provider.fetchPayout({ payoutId: id, providerReference: row.provider_reference })
      : null;
    const state = known ?? (await provider.payOut(this.orderOf(row)));
    await this.unitOfWork.run((manager) => this.settle(manager, id, state));
  }

  async find(
    provider: string,
    by: { payoutId: string | null; reference: string | null },
  ): Promise<string | null> {
    return await this.repository.findPayout(provider, by.payoutId, by.reference);
  }

  /** The provider's word. Its words may come twice and late: each end is come to once. */
  async settle(manager: EntityManager, id: string, state: ProviderState): Promise<PayoutOutcome> {
    const row = await this.repository.lock(manager, id);
    if (!row) return 'unknown';
    switch (state.status) {
      case 'pending':
        return await this.wait(manager, row, state);
      case 'succeeded':
        return await this.confirm(manager, row, state);
      default:
        return row.status === 'paid'
          ? await this.takeBack(manager, row, state)
          : await this.fail(manager, row, state);
    }
  }

  /** `asked`: the provider may know of it already. Null when there is nothing to pay (yet, or any more). */
  private async begin(
    manager: EntityManager,
    id: string,
  ): Promise<{ row: WithdrawalRow; asked: boolean } | null> {
    const now = this.clock.now();
    if (await this.holdBack(manager, id, now)) return null;
    const submitted = await this.repository.move(manager, id, 'submit', { submittedAt: now });
    const row = submitted ?? (await this.repository.lock(manager, id));
    if (row?.status !== 'paying') return null;
    await this.repository.noteAsked(manager, id);
    await this.askLater(manager, row);
    return { row, asked: !submitted };
  }

  /**
   * Who was banned since it was approved, by the rules or an operator who may not have known, waits for one who sees that. The lock
   * on the user lets no ban come in between. Whom an exclusion bars is paid all the same.
   */
  private async holdBack(manager: EntityManager, id: string, now: Date): Promise<boolean> {
    const userId = await this.repository.userOf(manager, id);
    if (userId === null) return false;
    const { status, bannedUntil } = await this.users.lock(manager, userId);
    if (status !== 'banned' || (bannedUntil !== null && bannedUntil <= now)) return false;
    const row = await this.repository.lock(manager, id);
    if (row?.status !== 'approved' || row.review === BANNED) return false;
    await this.repository.holdBack(manager, id, BANNED, now);
    await this.audit.record(manager, {
      actorId: null,
      action: 'withdrawal.held-back',
      subjectType: 'withdrawal',
      subjectId: id,
      details: { userId, review: BANNED },
    });
    return true;
  }

  private async askLater(
    manager: EntityManager,
    { id, checks }: Pick<WithdrawalRow, 'id' | 'checks'>,
  ): Promise<void> {
    const dueAt = askAgainAt(this.clock.now(), checks, this.rules.withdrawals.askMinutes);
    await this.deadlines.set(manager, WITHDRAWAL_DEADLINES.ask, { subject: id, dueAt });
  }

  private orderOf(row: WithdrawalRow): PayoutOrder {
    const destination = this.answers.destinationOf(row);
    if (destination === null) throw new Error(`withdrawal ${row.id} has lost its destination`);
    return {
      payoutId: row.id,
      amount: BigInt(row.amount),
      currency: row.currency,
      destination,
      description: 'Withdrawal',
    };
  }

  private async wait(
    manager: EntityManager,
    row: WithdrawalRow,
    state: ProviderState,
  ): Promise<PayoutOutcome> {
    if (row.status !== 'paying') return 'stale';
    await this.repository.noteReference(manager, row.id, state.providerReference);
    return 'applied';
  }

  private async confirm(
    manager: EntityManager,
    row: WithdrawalRow,
    { paid, providerReference }: ProviderState,
  ): Promise<PayoutOutcome> {
    const { id, status, amount, currency } = row;
    if (status === 'paid' || status === 'returned') return 'stale';
    // It says that it paid what it had said to have failed, or what nobody had asked it for.
    if (status !== 'paying') return await this.flag(manager, row, 'paid_unasked');
    if (paid !== null && (paid.amount !== BigInt(amount) || paid.currency !== currency))
      return await this.flag(manager, row, 'paid_differs');
    const { transferId } = await this.ledger.capture(manager, {
      holdId: row.hold_id,
      reference: `withdrawal:${id}:paid`,
      amount: BigInt(amount),
      to: clearing(row.provider, currency),
      final: true,
    });
    const settledAt = this.clock.now();
    await this.repository.move(manager, id, 'confirm', { transferId, providerReference, settledAt });
    await this.tell(manager, row, 'paid');
    return 'applied';
  }

  private async fail(
    manager: EntityManager,
    row: WithdrawalRow,
    state: ProviderState,
  ): Promise<PayoutOutcome> {
    const { id, status, hold_id: holdId } = row;
    if (status !== 'paying') return 'stale';
    await this.ledger.release(manager, { holdId, reference: `withdrawal:${id}:released` });
    await this.repository.move(manager, id, 'fail', {
      providerReference: state.providerReference,
      failureCode: state.failureCode ?? state.status,
      settledAt: this.clock.now(),
    });
    await this.tell(manager, row, 'failed');
    return 'applied';
  }

  /** It was paid, and the bank has sent it back. */
  private async takeBack(
    manager: EntityManager,
    row: WithdrawalRow,
    state: ProviderState,
  ): Promise<PayoutOutcome> {
    if (row.transfer_id === null) throw new Error(`withdrawal ${row.id} was paid without a transfer`);
    await this.ledger.reverse(manager, {
      transferId: row.transfer_id,
      reference: `withdrawal:${row.id}:returned`,
      reason: 'payout_returned',
      requestedBy: null,
    });
    await this.repository.move(manager, row.id, 'return', {
      failureCode: state.failureCode ?? state.status,
      settledAt: this.clock.now(),
    });
    await this.tell(manager, row, 'returned');
    return 'applied';
  }

  /** Moves nothing: what does not fit is for an operator. */
  private async flag(manager: EntityManager, row: WithdrawalRow, review: string): Promise<PayoutOutcome> {
    this.logger.error({ withdrawalId: row.id, provider: row.provider, review }, 'a payout needs an operator');
    await this.repository.flag(manager, row.id, review, this.clock.now());
    return 'review';
  }

  private async tell(
    manager: EntityManager,
    { id, user_id: userId }: WithdrawalRow,
    status: 'paid' | 'failed' | 'returned',
  ): Promise<void> {
    await this.outbox.publish(manager, withdrawalChanged, { withdrawalId: id, userId, status });
    await this.audit.record(manager, {
      actorId: null,
      action: `withdrawal.${status}`,
      subjectType: 'withdrawal',
      subjectId: id,
      details: { userId },
    });
  }
}
