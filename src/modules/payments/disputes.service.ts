import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { newId } from '../../platform/database/ids.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import { LedgerService } from '../wallet/ledger.service.js';
import type { AccountRef } from '../wallet/ledger.types.js';
import { clearing, paidTo } from './payment-facts.js';
import { paymentChanged } from './payments.events.js';
import { PaymentsRepository } from './payments.repository.js';
import type { EventOutcome, PaymentRow } from './payments.types.js';
import type { DisputeChange } from './provider.js';
import { PurchasesService } from './purchases.service.js';
import { type DisputeRow, RefundsRepository } from './refunds.repository.js';

/**
 * Payers who go to their bank instead of asking us. What the provider takes back is ours to bear (the account of its disputes)
 * until it is given again; of a deposit it is taken from the wallet, as far as it is there, and the rest is owed. Each step is booked
 * once, in whatever order they are told.
 */
@Injectable()
export class DisputesService {
  constructor(
    private readonly payments: PaymentsRepository,
    private readonly repository: RefundsRepository,
    private readonly purchases: PurchasesService,
    private readonly ledger: LedgerService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly clock: Clock,
  ) {}

  /** The payment is locked by the caller. One whose money is not here yet waits for it. */
  async apply(manager: EntityManager, payment: PaymentRow, change: DisputeChange): Promise<EventOutcome> {
    if (payment.paid_amount === null) return 'unknown';
    const now = this.clock.now();
    const { id } = await this.repository.lockDispute(manager, {
      id: newId(),
      paymentId: payment.id,
      provider: payment.provider,
      change,
      now,
    });
    const dispute = await this.repository.noteDispute(manager, id, change.kind, now);
    const standing = await this.repository.disputesOf(manager, payment.id);
    const isNew = standing !== payment.dispute;
    const changed = isNew
      ? await this.payments.changeMoney(manager, payment, { dispute: standing })
      : payment;
    if (isNew && standing === 'lost') await this.purchases.takeBack(manager, payment);
    await this.book(manager, payment, dispute, change.kind);
    if (!isNew) return 'applied';
    await this.audit.record(manager, {
      actorId: null,
      action: `payment.dispute-${change.kind}`,
      subjectType: 'payment',
      subjectId: payment.id,
      details: { disputeId: dispute.id, status: changed.status },
    });
    const { id: paymentId, user_id: userId, purpose } = payment;
    await this.outbox.publish(manager, paymentChanged, {
      paymentId,
      userId,
      purpose,
      status: changed.status,
    });
    return 'applied';
  }

  /** Rows are locked by now. Accounts come last, and of them the payer's before those of disputes. */
  private async book(
    manager: EntityManager,
    payment: PaymentRow,
    dispute: DisputeRow,
    kind: DisputeChange['kind'],
  ): Promise<void> {
    if (hasBoughtNothing(payment)) {
      const stands = isTaken(dispute);
      if (stands && dispute.charge_id === null) await this.charge(manager, payment, dispute);
      if (!stands && dispute.charge_id !== null && dispute.charge_returned_at === null)
        await this.giveBack(manager, payment, dispute, dispute.charge_id);
    }
    if (kind === 'funds_withdrawn') await this.post(manager, payment, dispute, 'withdrawn');
    if (kind === 'funds_reinstated') await this.post(manager, payment, dispute, 'reinstated');
  }

  /**
   * Takes what the bank has taken from us from where the payment put it, never more than is there; the rest is what its user owes,
   * in an account of theirs that the house bears until then.
   */
  private async charge(manager: EntityManager, payment: PaymentRow, dispute: DisputeRow): Promise<void> {
    const { provider, currency } = dispute;
    const amount = BigInt(dispute.amount);
    const from = { ...paidTo(payment), currency };
    const there = await this.hold(manager, from);
    const charged = there < amount ? there : amount;
    const legs = [
      { account: from, amount: -charged },
      { account: debtOf(payment.user_id, currency), amount: charged - amount },
      { account: { kind: 'disputes', owner: provider, currency } as const, amount },
    ];
    const { transferId } = await this.ledger.post(manager, {
      reference: `dispute:${dispute.id}:charged`,
      type: 'dispute_charged',
      legs: legs.filter((leg) => leg.amount !== 0n),
      metadata: { paymentId: payment.id, disputeId: dispute.id },
    });
    await this.repository.noteCharge(manager, dispute.id, { charged, transferId });
    await this.audit.record(manager, {
      actorId: null,
      action: 'payment.dispute-charged',
      subjectType: 'payment',
      subjectId: payment.id,
      details: { disputeId: dispute.id, charged: Number(charged), owed: Number(amount - charged), currency },
    });
  }

  /** The bank has decided for us: what was taken is there again, and nothing is owed. */
  private async giveBack(
    manager: EntityManager,
    payment: PaymentRow,
    dispute: DisputeRow,
    transferId: string,
  ): Promise<void> {
    await this.hold(manager, { ...paidTo(payment), currency: dispute.currency });
    await this.ledger.reverse(manager, {
      transferId,
      reference: `dispute:${dispute.id}:returned`,
      reason: 'dispute_won',
      requestedBy: null,
    });
    await this.repository.noteReturned(manager, dispute.id, this.clock.now());
  }

  /** What is there, held still until the commit: withdrawals and stakes wait. */
  private async hold(manager: EntityManager, { kind, owner, currency }: AccountRef): Promise<bigint> {
    const balances = await this.ledger.lockBalances(manager, kind, [owner]);
    return balances.find(({ account }) => account.currency === currency)?.balance ?? 0n;
  }

  private async post(
    manager: EntityManager,
    payment: PaymentRow,
    dispute: DisputeRow,
    what: 'withdrawn' | 'reinstated',
  ): Promise<void> {
    const { provider, currency } = dispute;
    const amount = what === 'withdrawn' ? BigInt(dispute.amount) : -BigInt(dispute.amount);
    await this.ledger.post(manager, {
      reference: `dispute:${dispute.id}:${what}`,
      type: `dispute_${what}`,
      legs: [
        { account: { kind: 'disputes', owner: provider, currency }, amount: -amount },
        { account: clearing(provider, currency), amount },
      ],
      metadata: { paymentId: payment.id, disputeId: dispute.id },
    });
  }
}

/** Of what was bought the sellers take back what is unused; what stands in a wallet or aside is taken from there. */
function hasBoughtNothing({ purpose, review }: PaymentRow): boolean {
  return purpose === 'deposit' || review !== null;
}

/** The bank has the money, as far as is known, or has decided that it will. */
function isTaken({ withdrawn_at, reinstated_at, outcome }: DisputeRow): boolean {
  if (reinstated_at !== null || outcome === 'won') return false;
  return withdrawn_at !== null || outcome === 'lost';
}

function debtOf(userId: string, currency: string): AccountRef {
  return { kind: 'disputes', owner: userId, currency };
}
