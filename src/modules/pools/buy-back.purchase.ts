import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import {
  type Purchase,
  type PurchaseEffect,
  type PurchaseHandler,
  PurchasePort,
} from '../payments/purchase.port.js';
import { BuyBacksService } from './buy-backs.service.js';
import { formatWeekId } from './domain/calendar.js';
import { feesOfWeek } from './entry-fees.service.js';
import { PurchaseRecords } from './purchase-records.service.js';
import { readWeekId, WeeksService } from './weeks.service.js';

/** Credits that were paid for: asked for by the rules at checkout, added when the payment is confirmed, until the week is over. */
@Injectable()
export class BuyBackPurchase implements PurchaseHandler, OnModuleInit {
  constructor(
    private readonly port: PurchasePort,
    private readonly records: PurchaseRecords,
    private readonly buyBacks: BuyBacksService,
    private readonly weeks: WeeksService,
  ) {}

  onModuleInit(): void {
    this.port.register('buy_back', this);
  }

  /** Throws as `BuyBacksService.enter` does. */
  async atCheckout(manager: EntityManager, userId: string): Promise<string> {
    const weekId = this.weeks.currentId();
    await this.buyBacks.enter(manager, userId, weekId);
    return formatWeekId(weekId);
  }

  async paid(manager: EntityManager, purchase: Purchase): Promise<PurchaseEffect> {
    return await this.records.once(manager, purchase, async () => {
      const { userId, currency, paymentId } = purchase;
      const weekId = readWeekId(purchase.subject);
      const span = { first: weekId, last: weekId };
      const credited = await this.buyBacks.creditPaid(manager, userId, weekId, `payment:${paymentId}`);
      if ('refused' in credited) return { span, refused: credited.refused };
      return { span, poolId: credited.poolId, pays: feesOfWeek(weekId, currency) };
    });
  }

  /** The credits may be on the table already: they stay, and an operator is told. */
  async refunded(manager: EntityManager, purchase: Purchase): Promise<void> {
    await this.records.takeBack(manager, purchase, () => Promise.resolve(false));
  }
}
