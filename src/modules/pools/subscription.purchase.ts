import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { ComplianceService } from '../compliance/compliance.service.js';
import {
  type Purchase,
  type PurchaseEffect,
  type PurchaseHandler,
  PurchasePort,
} from '../payments/purchase.port.js';
import { formatWeekId } from './domain/calendar.js';
import { lastWeekOf, subscribedWeeks, usedOf } from './domain/entry-fees.js';
import { EntryFeesService, feesOfSpan } from './entry-fees.service.js';
import { MembersRepository } from './members.repository.js';
import { PurchaseRecords } from './purchase-records.service.js';
import { PurchasesRepository, type PurchaseRow } from './purchases.repository.js';
import { WeeksService } from './weeks.service.js';

/** A subscription's payment, the first or a renewal: its user is in the draw of each week that begins before the period ends. */
@Injectable()
export class SubscriptionPurchase implements PurchaseHandler, OnModuleInit {
  constructor(
    private readonly port: PurchasePort,
    private readonly records: PurchaseRecords,
    private readonly repository: PurchasesRepository,
    private readonly members: MembersRepository,
    private readonly fees: EntryFeesService,
    private readonly weeks: WeeksService,
    private readonly compliance: ComplianceService,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  onModuleInit(): void {
    this.port.register('subscription', this);
  }

  /** Throws TERMS_NOT_ACCEPTED and WEEK_NOT_OPEN_YET. */
  async atCheckout(manager: EntityManager, userId: string): Promise<string> {
    await this.records.requireTerms(manager, userId);
    return formatWeekId((await this.weeks.getNextToJoin(manager, this.clock.now())).id);
  }

  async paid(manager: EntityManager, purchase: Purchase): Promise<PurchaseEffect> {
    return await this.records.once(manager, purchase, async () => {
      const { userId, currency, periodStart } = purchase;
      const refusal = await this.compliance.enterGate(manager, userId);
      // The draw takes the same lock: this payment is in it, or begins with the week after.
      const next = await this.weeks.lockNextToJoin(manager, this.clock.now());
      const { zone } = this.rules.pools;
      const periodEnd = purchase.periodEnd ?? next.endsAt;
      const weeks = subscribedWeeks({
        nextToJoin: next.id,
        paidUntil: await this.repository.subscribedUntil(manager, userId, lastWeekOf(periodEnd, zone)),
        holdsNext: await this.members.isRegistered(manager, userId, next.id),
        periodStart,
        periodEnd,
        zone,
      });
      const span = weeks ?? { first: next.id, last: next.id };
      if (refusal !== null || weeks === null) return { span, refused: refusal ?? 'NO_WEEK_IN_PERIOD' };
      return { span, pays: feesOfSpan(span, currency) };
    });
  }

  /** It ends with the weeks that were drawn. Those were played, so that the house bears them and not the players of the others. */
  async refunded(manager: EntityManager, purchase: Purchase): Promise<void> {
    await this.records.takeBack(manager, purchase, async (row) => {
      const { week_id: first, last_week_id: last } = row;
      const next = await this.weeks.lockNextToJoin(manager, this.clock.now());
      await this.repository.deletePass(manager, row.user_id, next.id, 'subscription');
      const used = await this.repository.countDrawn(manager, { first, last });
      if (used > 0) await this.bear(manager, row, used);
      return used === 0;
    });
  }

  private async bear(manager: EntityManager, row: PurchaseRow, weeksUsed: number): Promise<void> {
    const { week_id: first, last_week_id: last, currency } = row;
    const amount = usedOf(BigInt(row.amount), { first, last }, weeksUsed);
    await this.fees.post(manager, `entry_fees:${row.payment_id}:borne`, first, [
      { account: { kind: 'fees', owner: 'house', currency }, amount: -amount },
      { account: feesOfSpan({ first, last }, currency), amount },
    ]);
  }
}
