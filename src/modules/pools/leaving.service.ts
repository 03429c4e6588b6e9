import { Injectable } from '@nestjs/common';
import { UnusedPurchasesService } from '../payments/unused-purchases.service.js';
import { PurchasesRepository } from './purchases.repository.js';

/** Who has excluded themselves gets back what they have paid for weeks that they will not play. */
@Injectable()
export class LeavingService {
  constructor(
    private readonly repository: PurchasesRepository,
    private readonly purchases: UnusedPurchasesService,
  ) {}

  /** Each payment by itself: one that cannot be given back is tried again, and keeps no other. */
  async refundUnused(userId: string): Promise<void> {
    const paymentIds = await this.repository.unusedOf(userId);
    const done = await Promise.allSettled(
      paymentIds.map(async (id) => this.purchases.giveBack(id, 'SELF_EXCLUDED')),
    );
    for (const one of done) if (one.status === 'rejected') throw one.reason;
  }
}
