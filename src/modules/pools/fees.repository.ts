import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

export interface SubscriptionFundRow {
  week_id: number;
  last_week_id: number;
}

/** Where the entry fees of a week are, and what becomes of them. */
@Injectable()
export class FeesRepository {
  /** Weeks whose passes count for this one, itself first. */
  async weeksCountingFor(manager: EntityManager, weekId: number): Promise<number[]> {
    const rows = await manager.query<{ id: number }[]>(
      'SELECT id FROM weeks WHERE passes_moved_to = $1 ORDER BY id',
      [weekId],
    );
    return [weekId, ...rows.map(({ id }) => id)];
  }

  /** Passes of these weeks count for another one now. */
  async movePasses(manager: EntityManager, from: number, to: number): Promise<void> {
    await manager.query('UPDATE weeks SET passes_moved_to = $2 WHERE id = $1 OR passes_moved_to = $1', [
      from,
      to,
    ]);
    await manager.query(
      `UPDATE week_purchases b SET week_id = $2, last_week_id = $2
       FROM week_passes p
       WHERE b.week_id = $1 AND b.purpose = 'week_pass' AND b.refused IS NULL AND b.taken_back_at IS NULL
         AND p.user_id = b.user_id AND p.week_id = $2 AND p.source = 'payment'
         AND NOT EXISTS (SELECT FROM week_passes o WHERE o.user_id = b.user_id AND o.week_id = $1)`,
      [from, to],
    );
  }

  /** The spans of subscriptions that this week has a part of; `from`: the earliest week that counts for it. */
  async subscriptionFunds(
    manager: EntityManager,
    weekId: number,
    from: number,
  ): Promise<SubscriptionFundRow[]> {
    return await manager.query<SubscriptionFundRow[]>(
      `SELECT DISTINCT week_id, last_week_id FROM week_purchases
       WHERE purpose = 'subscription' AND refused IS NULL AND week_id <= $1 AND last_week_id >= $2
       ORDER BY week_id, last_week_id`,
      [weekId, from],
    );
  }

  /**
   * What of the weeks' accounts belongs to passes that were not drawn: their holders were barred, or kept two. It waits
   * for its refund.
   */
  async unused(manager: EntityManager, weekIds: readonly number[]): Promise<Map<string, bigint>> {
    const rows = await manager.query<{ escrow: string; currency: string; amount: string }[]>(
      `SELECT b.escrow, b.currency, sum(b.amount)::bigint AS amount FROM week_purchases b
       WHERE b.week_id = ANY ($1) AND b.purpose = 'week_pass' AND b.refused IS NULL AND b.taken_back_at IS NULL
         AND NOT EXISTS (SELECT FROM week_entries e WHERE e.week_id = b.week_id AND e.user_id = b.user_id)
       GROUP BY 1, 2`,
      [weekIds],
    );
    return new Map(rows.map(({ escrow, currency, amount }) => [`${escrow} ${currency}`, BigInt(amount)]));
  }

  /** What was paid in each pool to buy back, in a currency: the weights by which it goes into the pots. */
  async boughtBack(manager: EntityManager, weekId: number, currency: string): Promise<Map<string, bigint>> {
    const rows = await manager.query<{ pool_id: string; amount: string }[]>(
      `SELECT pool_id, sum(amount)::bigint AS amount FROM week_purchases
       WHERE week_id = $1 AND purpose = 'buy_back' AND currency = $2 AND refused IS NULL AND taken_back_at IS NULL
       GROUP BY pool_id`,
      [weekId, currency],
    );
    return new Map(rows.map(({ pool_id: poolId, amount }) => [poolId, BigInt(amount)]));
  }

  async noteShares(manager: EntityManager, shares: ReadonlyMap<string, bigint>): Promise<void> {
    await manager.query(
      `UPDATE pools p SET entry_fees = s.amount FROM unnest($1::uuid[], $2::bigint[]) AS s (id, amount) WHERE p.id = s.id`,
      [[...shares.keys()], [...shares.values()].map(String)],
    );
  }

  /** What the draw put into the pots of a week. */
  async sharesOf(manager: EntityManager, weekId: number): Promise<Map<string, bigint>> {
    const rows = await manager.query<{ id: string; entry_fees: string }[]>(
      'SELECT id, entry_fees FROM pools WHERE week_id = $1 ORDER BY number',
      [weekId],
    );
    return new Map(rows.map((row) => [row.id, BigInt(row.entry_fees)]));
  }
}
