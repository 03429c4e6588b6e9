import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { PaymentRow } from './payments.types.js';
import { PurchasePort } from './purchase.port.js';

/** What a payment has bought, when its money is gone again. */
@Injectable()
export class PurchasesService {
  constructor(private readonly port: PurchasePort) {}

  /** Once for a payment that was given back whole, or lost in a dispute; money that stood aside has bought nothing. */
  async takeBack(manager: EntityManager, payment: PaymentRow): Promise<void> {
    const { purpose, review, dispute } = payment;
    const isBack = BigInt(payment.refunded) === BigInt(payment.paid_amount ?? 0);
    if (purpose === 'deposit' || review !== null || dispute === 'lost' || isBack) return;
    await this.port.get(purpose).refunded(manager, {
      paymentId: payment.id,
      userId: payment.user_id,
      purpose,
      amount: BigInt(payment.amount),
      currency: payment.currency,
      subject: payment.subject ?? '',
      periodEnd: payment.period_end,
    });
  }
}
