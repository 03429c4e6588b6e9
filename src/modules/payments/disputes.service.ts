import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { newId } from '../../platform/database/ids.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import { LedgerService } from '../wallet/ledger.service.js';
import { clearing } from './payment-facts.js';
import { paymentChanged } from './payments.events.js';
import { PaymentsRepository } from './payments.repository.js';
import type { EventOutcome, PaymentRow } from './payments.types.js';
import type { DisputeChange } from './provider.js';
import { PurchasesService } from './purchases.service.js';
import { type DisputeRow, RefundsRepository } from './refunds.repository.js';

/**
 * Payers who go to their bank instead of asking us. What the provider takes back is ours to bear (the account of its disputes)
 * until it is given again. Each step is booked once, in whatever order they are told.
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
    const dispute = await this.repository.lockDispute(manager, {
      id: newId(),
      paymentId: payment.id,
      provider: payment.provider,
      change,
      now,
    });
    if (change.kind === 'funds_withdrawn') await this.post(manager, payment, dispute, 'withdrawn');
    if (change.kind === 'funds_reinstated') await this.post(manager, payment, dispute, 'reinstated');
    await this.repository.noteDispute(manager, dispute.id, change.kind, now);
    const standing = await this.repository.disputesOf(manager, payment.id);
    if (standing === payment.dispute) return 'applied';
    const changed = await this.payments.changeMoney(manager, payment, { dispute: standing });
    if (standing === 'lost') await this.purchases.takeBack(manager, payment);
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
