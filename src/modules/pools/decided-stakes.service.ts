import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { LimitsService } from '../compliance/limits/limits.service.js';
import { countWeeks } from './domain/calendar.js';
import { usedOf } from './domain/entry-fees.js';
import { type PlayedRow, PurchasesRepository } from './purchases.repository.js';

/** So many are one call. */
const BATCH = 1000;

/** What a week that is settled is to the limits of those who paid for it: what they paid is lost, but for the prizes. */
@Injectable()
export class DecidedStakesService {
  constructor(
    private readonly repository: PurchasesRepository,
    private readonly limits: LimitsService,
  ) {}

  /** Once for a week, before its prizes are posted: bookings are locked before accounts of the ledger. */
  async decide(manager: EntityManager, weekId: number): Promise<void> {
    const parts = (await this.repository.playedIn(manager, weekId)).map((row) => ({
      reference: `payment:${row.payment_id}`,
      amount: partOf(row, weekId),
    }));
    for (let start = 0; start < parts.length; start += BATCH)
      await this.limits.lose(manager, parts.slice(start, start + BATCH), `week:${weekId}`);
  }
}

/** Of a payment for several weeks each has its part, as in its refunds. */
function partOf({ amount, week_id: first, last_week_id: last }: PlayedRow, weekId: number): bigint {
  const span = { first, last };
  const weeks = countWeeks(first, weekId);
  return usedOf(BigInt(amount), span, weeks) - usedOf(BigInt(amount), span, weeks - 1);
}
