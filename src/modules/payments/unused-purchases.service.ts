import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { refundable } from './domain/payment-machine.js';
import { factsOf, paidTo } from './payment-facts.js';
import { PaymentsRepository } from './payments.repository.js';
import { RefundsService } from './refunds.service.js';

/** Gives back, without being asked by anybody, what was paid for what will not be used. */
@Injectable()
export class UnusedPurchasesService {
  constructor(
    private readonly payments: PaymentsRepository,
    private readonly refunds: RefundsService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** What is left of the payment goes back to the payer: done twice it is done once. Throws REFUND_NOT_COVERED. */
  async giveBack(paymentId: string, reason: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const payment = await this.payments.lock(manager, paymentId);
      const amount = payment ? refundable(factsOf(payment)) : 0n;
      if (!payment || amount === 0n) return;
      const refund = await this.refunds.reserve(manager, payment, { amount, reason, requestedBy: null });
      await this.audit.record(manager, {
        actorId: null,
        action: 'payment.refund',
        subjectType: 'payment',
        subjectId: paymentId,
        details: { refundId: refund.id, amount: Number(amount), currency: paidTo(payment).currency, reason },
      });
    });
  }
}
