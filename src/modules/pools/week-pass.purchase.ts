import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { ComplianceService } from '../compliance/compliance.service.js';
import {
  type Purchase,
  type PurchaseEffect,
  type PurchaseHandler,
  PurchasePort,
} from '../payments/purchase.port.js';
import { formatWeekId } from './domain/calendar.js';
import { feesOfWeek } from './entry-fees.service.js';
import { MembersRepository } from './members.repository.js';
import { poolsErrors } from './pools.errors.js';
import { PurchaseRecords } from './purchase-records.service.js';
import { PurchasesRepository } from './purchases.repository.js';
import { WeeksService } from './weeks.service.js';

/** A pass that was paid for: it counts for the next week that can be joined when the money has come. */
@Injectable()
export class WeekPassPurchase implements PurchaseHandler, OnModuleInit {
  constructor(
    private readonly port: PurchasePort,
    private readonly records: PurchaseRecords,
    private readonly repository: PurchasesRepository,
    private readonly members: MembersRepository,
    private readonly weeks: WeeksService,
    private readonly compliance: ComplianceService,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.port.register('week_pass', this);
  }

  /** Throws TERMS_NOT_ACCEPTED, WEEK_NOT_OPEN_YET and PASS_ALREADY_HELD. */
  async atCheckout(manager: EntityManager, userId: string): Promise<string> {
    await this.records.requireTerms(manager, userId);
    const week = await this.weeks.getNextToJoin(manager, this.clock.now());
    const text = formatWeekId(week.id);
    if (await this.members.isRegistered(manager, userId, week.id))
      throw poolsErrors.PASS_ALREADY_HELD({ week: text });
    return text;
  }

  /** Confirmed after the draw it counts for the week after; the money of one that is held already, or of somebody barred, goes back. */
  async paid(manager: EntityManager, purchase: Purchase): Promise<PurchaseEffect> {
    return await this.records.once(manager, purchase, async () => {
      const { userId, currency } = purchase;
      const refusal = await this.compliance.enterGate(manager, userId);
      const now = this.clock.now();
      const { id } = await this.weeks.lockNextToJoin(manager, now);
      const span = { first: id, last: id };
      if (refusal !== null) return { span, refused: refusal };
      const isNew =
        !(await this.members.isRegistered(manager, userId, id)) &&
        (await this.members.insertPass(manager, {
          userId,
          weekId: id,
          source: 'payment',
          grantedBy: null,
          now,
        }));
      if (!isNew) return { span, refused: poolsErrors.PASS_ALREADY_HELD.code };
      return { span, pays: feesOfWeek(id, currency) };
    });
  }

  /** Before the draw the pass is gone; after it, it has been played with. */
  async refunded(manager: EntityManager, purchase: Purchase): Promise<void> {
    await this.records.takeBack(manager, purchase, async ({ week_id: weekId }) => {
      await this.weeks.getLocked(manager, weekId);
      return await this.repository.deletePass(manager, purchase.userId, weekId, 'payment');
    });
  }
}
