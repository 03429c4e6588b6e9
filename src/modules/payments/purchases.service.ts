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
    const { purpose } = payment;
    if (purpose === 'deposit' || payment.review !== null || this.isTakenBack(payment)) return;
    await this.port.get(purpose).refunded(manager, {
      paymentId: payment.id,
      userId: payment.user_id,
      purpose,
      amount: BigInt(payment.amount),
      currency: payment.currency,
      subject: payment.subject ?? '',
      periodStart: null,
      periodEnd: payment.period_end,
    });
  }

  /** Whether it had bought something that it has bought no more. */
  isTakenBack({ purpose, review, dispute, refunded, paid_amount: paid }: PaymentRow): boolean {
    if (purpose === 'deposit' || review !== null) return false;
    return dispute === 'lost' || BigInt(refunded) === BigInt(paid ?? 0);
  }
}
