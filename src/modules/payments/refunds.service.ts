import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Effect } from '../../platform/http/answers.js';
import { DomainError } from '../../platform/http/domain-error.js';
import { type IdempotencyKey, IdempotencyService } from '../../platform/http/idempotency.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import type { Subject } from '../../platform/security/subject.js';
import { RecentProofService } from '../auth/sessions/recent-proof.service.js';
import { LedgerService } from '../wallet/ledger.service.js';
import type { Posted } from '../wallet/ledger.types.js';
import { walletErrors } from '../wallet/wallet.errors.js';
import { askAgainAt } from './domain/asking.js';
import { refundable } from './domain/payment-machine.js';
import type { RefundDto, RefundPaymentDto } from './dto/refunds.dto.js';
import { aside, clearing, factsOf, paidTo } from './payment-facts.js';
import { PaymentLimits } from './payment-limits.service.js';
import { PaymentProviders } from './payment-providers.js';
import { paymentsErrors } from './payments.errors.js';
import { paymentChanged, refundRequested } from './payments.events.js';
import { PaymentsRepository } from './payments.repository.js';
import type { EventOutcome, PaymentRow, RefundRow } from './payments.types.js';
import type { ProviderState } from './provider.js';
import { PurchasesService } from './purchases.service.js';
import { RefundsRepository } from './refunds.repository.js';

/**
 * Giving money back, whole or in parts. It leaves where the payment put it when the refund is asked for, so that nobody spends it
 * meanwhile, and the provider's books when the provider says so; one that fails puts it back, sooner or later.
 */
@Injectable()
export class RefundsService {
  private readonly logger = new Logger('Refunds');

  constructor(
    private readonly payments: PaymentsRepository,
    private readonly repository: RefundsRepository,
    private readonly providers: PaymentProviders,
    private readonly purchases: PurchasesService,
    private readonly limits: PaymentLimits,
    private readonly ledger: LedgerService,
    private readonly proofs: RecentProofService,
    private readonly idempotency: IdempotencyService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Asks for a refund in an admin's name. Of two at once for the whole, one is refused. Throws PROOF_TOO_OLD of the admin's own
   * session, PAYMENT_NOT_FOUND, PAYMENT_NOT_REFUNDABLE, REFUND_TOO_LARGE, REFUND_NOT_COVERED.
   */
  async request(
    admin: Subject,
    paymentId: string,
    body: RefundPaymentDto,
    key: IdempotencyKey,
  ): Promise<Effect<RefundDto>> {
    await this.proofs.require(admin);
    const scope = {
      userId: admin.userId,
      operation: `payment.refund:${paymentId}`,
      status: 202,
      now: this.clock.now(),
    };
    return await this.unitOfWork.run((manager) =>
      this.idempotency.once(manager, scope, key, async () => {
        const payment = await this.payments.lock(manager, paymentId);
        if (!payment) throw paymentsErrors.PAYMENT_NOT_FOUND({ paymentId });
        const left = refundable(factsOf(payment));
        if (left === 0n) throw paymentsErrors.PAYMENT_NOT_REFUNDABLE({ status: payment.status });
        const amount = body.amount === undefined ? left : BigInt(body.amount);
        if (amount > left) throw paymentsErrors.REFUND_TOO_LARGE({ left: Number(left) });
        const { reason } = body;
        const refund = await this.reserve(manager, payment, { amount, reason, requestedBy: admin.userId });
        return toRefundDto(refund, payment);
      }),
    );
  }

  /** Takes the money from where it is, in the caller's transaction, which has locked the payment. Throws REFUND_NOT_COVERED. */
  async reserve(
    manager: EntityManager,
    payment: PaymentRow,
    order: { amount: bigint; reason: string; requestedBy: string | null },
  ): Promise<RefundRow> {
    const now = this.clock.now();
    const from = paidTo(payment);
    const refund = await this.repository.insert(manager, {
      id: newId(),
      payment_id: payment.id,
      amount: order.amount,
      reason: order.reason,
      requested_by: order.requestedBy,
      created_at: now,
      check_at: askAgainAt(now, 0, this.rules.payments.reconciliation.pendingMinutes),
    });
    await this.move(manager, refund, {
      reference: `refund:${refund.id}`,
      type: 'refund',
      legs: [
        { account: from, amount: -order.amount },
        { account: aside('refund', refund.id, from.currency), amount: order.amount },
      ],
    });
    await this.payments.changeMoney(manager, payment, {
      refunding: String(BigInt(payment.refunding) + order.amount),
    });
    await this.outbox.publish(manager, refundRequested, { refundId: refund.id });
    await this.audit.record(manager, {
      actorId: order.requestedBy,
      action: 'payment.refund',
      subjectType: 'payment',
      subjectId: payment.id,
      details: { refundId: refund.id, amount: Number(order.amount), currency: from.currency },
    });
    return refund;
  }

  /** Asks the provider, which does it once for the refund's id; or asks what became of it. */
  async perform(refundId: string): Promise<void> {
    const refund = await this.repository.find(refundId);
    if (!refund || refund.status === 'succeeded' || refund.status === 'failed') return;
    const payment = await this.payments.find(refund.payment_id);
    if (!payment?.provider_reference)
      throw new Error(`refund ${refundId} is of a payment that no provider knows`);
    const provider = this.providers.get(payment.provider);
    const { provider_reference: providerReference } = refund;
    const known =
      refund.status === 'pending' ? await provider.fetchRefund({ refundId, providerReference }) : null;
    const state =
      known ??
      (await provider.refund({
        refundId,
        providerReference: payment.provider_reference,
        amount: BigInt(refund.amount),
        currency: paidTo(payment).currency,
        whole: { amount: BigInt(payment.paid_amount ?? 0), currency: paidTo(payment).currency },
      }));
    await this.unitOfWork.run((manager) => this.settle(manager, refundId, state));
  }

  /** What the provider says of a refund. Locks the payment, then the refund. */
  async settle(manager: EntityManager, refundId: string, state: ProviderState): Promise<EventOutcome> {
    const paymentId = await this.repository.paymentOf(manager, refundId);
    const payment = paymentId === null ? null : await this.payments.lock(manager, paymentId);
    const refund = payment && (await this.repository.lock(manager, refundId));
    if (!payment || !refund) return 'unknown';
    const { providerReference: reference, failureCode } = state;
    const status =
      state.status === 'succeeded' || state.status === 'pending' ? state.status : ('failed' as const);
    const advanced = await this.repository.advance(manager, refundId, {
      status,
      reference,
      failureCode,
      now: this.clock.now(),
    });
    if (!advanced) return await this.late(manager, refund, status);
    if (status === 'succeeded') await this.done(manager, payment, refund);
    else if (status === 'failed') await this.failed(manager, payment, refund);
    return 'applied';
  }

  private async done(manager: EntityManager, payment: PaymentRow, refund: RefundRow): Promise<void> {
    const amount = BigInt(refund.amount);
    const refunded = BigInt(payment.refunded) + amount;
    // Before the ledger, as when it is booked: rows of whose purchase it is are locked before accounts.
    if (refunded === BigInt(payment.paid_amount ?? 0)) await this.purchases.takeBack(manager, payment);
    await this.limits.refunded(manager, refund);
    await this.handOver(manager, payment, refund);
    const changed = await this.payments.changeMoney(manager, payment, {
      refunding: String(BigInt(payment.refunding) - amount),
      refunded: String(refunded),
    });
    await this.tell(manager, changed);
  }

  /** To the provider, which pays it back. Posted again it is answered with the first transfer. */
  private async handOver(manager: EntityManager, payment: PaymentRow, refund: RefundRow): Promise<Posted> {
    const { currency } = paidTo(payment);
    const amount = BigInt(refund.amount);
    return await this.move(manager, refund, {
      reference: `refund:${refund.id}:done`,
      type: 'refund',
      legs: [
        { account: aside('refund', refund.id, currency), amount: -amount },
        { account: clearing(payment.provider, currency), amount },
      ],
    });
  }

  /** Puts the money back, also when it was done and the bank that it went to has refused it afterwards. */
  private async failed(manager: EntityManager, payment: PaymentRow, refund: RefundRow): Promise<void> {
    const amount = BigInt(refund.amount);
    const wasDone = refund.status === 'succeeded';
    // What it had bought was taken back: where that money goes nobody would give anything for it any more.
    const isAside = wasDone && this.purchases.isTakenBack(payment);
    if (wasDone && !isAside) await this.limits.refundUndone(manager, refund);
    if (wasDone) {
      const { transferId } = await this.handOver(manager, payment, refund);
      await this.ledger.reverse(manager, {
        transferId,
        reference: `refund:${refund.id}:undone`,
        reason: 'refund_failed',
        requestedBy: null,
      });
    }
    const to = isAside ? aside('payment', payment.id, paidTo(payment).currency) : paidTo(payment);
    await this.move(manager, refund, {
      reference: `refund:${refund.id}:failed`,
      type: 'refund_failed',
      legs: [
        { account: aside('refund', refund.id, to.currency), amount: -amount },
        { account: to, amount },
      ],
    });
    const of = (state: boolean, figure: string) => String(BigInt(figure) - (state ? amount : 0n));
    const changed = await this.payments.changeMoney(manager, payment, {
      refunding: of(!wasDone, payment.refunding),
      refunded: of(wasDone, payment.refunded),
      ...(isAside ? { review: 'REFUND_FAILED', paid_to_kind: to.kind, paid_to_owner: to.owner } : {}),
    });
    await this.audit.record(manager, {
      actorId: null,
      action: 'payment.refund-failed',
      subjectType: 'payment',
      subjectId: payment.id,
      details: { refundId: refund.id, requestedBy: refund.requested_by, wasDone, status: changed.status },
    });
    await this.tell(manager, changed);
  }

  private async tell(
    manager: EntityManager,
    { id: paymentId, user_id: userId, purpose, status }: PaymentRow,
  ): Promise<void> {
    await this.outbox.publish(manager, paymentChanged, { paymentId, userId, purpose, status });
  }

  private async move(
    manager: EntityManager,
    refund: RefundRow,
    posting: Pick<Parameters<LedgerService['post']>[1], 'reference' | 'type' | 'legs'>,
  ): Promise<Posted> {
    try {
      return await this.ledger.post(manager, {
        ...posting,
        metadata: { paymentId: refund.payment_id, refundId: refund.id },
        requestedBy: refund.requested_by,
      });
    } catch (error) {
      if (error instanceof DomainError && error.code === walletErrors.INSUFFICIENT_FUNDS.code)
        throw paymentsErrors.REFUND_NOT_COVERED(error.details, { cause: error });
      throw error;
    }
  }

  /** The same word again is nothing new, nor is the success of one that has failed since. Any other is for an operator. */
  private async late(
    manager: EntityManager,
    refund: RefundRow,
    status: 'pending' | 'succeeded' | 'failed',
  ): Promise<EventOutcome> {
    if (status === 'pending' || status === refund.status || refund.succeeded_at !== null) return 'stale';
    this.logger.error(`refund ${refund.id} is ${refund.status}, and its provider now says ${status}`);
    await this.audit.record(manager, {
      actorId: null,
      action: 'payment.refund-contradicted',
      subjectType: 'payment',
      subjectId: refund.payment_id,
      details: { refundId: refund.id, known: refund.status, told: status },
    });
    return 'review';
  }
}

export function toRefundDto(refund: RefundRow, payment: PaymentRow): RefundDto {
  return {
    id: refund.id,
    paymentId: refund.payment_id,
    amount: { amount: Number(refund.amount), currency: paidTo(payment).currency },
    status: refund.status,
    reason: refund.reason,
    failureCode: refund.failure_code,
    createdAt: refund.created_at.toISOString(),
    completedAt: refund.completed_at?.toISOString() ?? null,
  };
}
