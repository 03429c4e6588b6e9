import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { refundable } from './domain/payment-machine.js';
import { factsOf } from './payment-facts.js';
import { PaymentsRepository } from './payments.repository.js';
import { RefundsService } from './refunds.service.js';

/** Gives back, without being asked by anybody, what was paid for what will not be used. */
@Injectable()
export class UnusedPurchasesService {
  constructor(
    private readonly payments: PaymentsRepository,
    private readonly refunds: RefundsService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** What is left of the payment goes back to the payer: done twice it is done once. Throws REFUND_NOT_COVERED. */
  async giveBack(paymentId: string, reason: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const payment = await this.payments.lock(manager, paymentId);
      const amount = payment ? refundable(factsOf(payment)) : 0n;
      if (!payment || amount === 0n) return;
      await this.refunds.reserve(manager, payment, { amount, reason, requestedBy: null });
    });
  }
}
