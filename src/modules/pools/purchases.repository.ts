import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { PurchasePurpose } from '../payments/purchase.port.js';
import type { WeekSpan } from './domain/entry-fees.js';

export interface PurchaseRow {
  payment_id: string;
  user_id: string;
  purpose: PurchasePurpose;
  week_id: number;
  last_week_id: number;
  pool_id: string | null;
  amount: string;
  currency: string;
  escrow: string | null;
  refused: string | null;
  taken_back_at: Date | null;
}

export type PlayedRow = Pick<PurchaseRow, 'payment_id' | 'week_id' | 'last_week_id' | 'amount'>;

export interface NewPurchase {
  paymentId: string;
  userId: string;
  purpose: PurchasePurpose;
  span: WeekSpan;
  poolId: string | null;
  amount: bigint;
  currency: string;
  escrow: string | null;
  refused: string | null;
  now: Date;
}

/** What payments have bought of weeks. */
@Injectable()
export class PurchasesRepository {
  constructor(private readonly database: Database) {}

  /** Payments for weeks none of which was drawn: nothing of them has been used. Index: ix_week_purchases_user. */
  async unusedOf(userId: string): Promise<string[]> {
    const rows = await this.database.query<{ payment_id: string }>(
      'week_purchases.unused',
      `SELECT payment_id FROM week_purchases p
       WHERE user_id = $1 AND purpose IN ('week_pass', 'subscription') AND refused IS NULL AND taken_back_at IS NULL
         AND NOT EXISTS (SELECT FROM weeks w WHERE w.id BETWEEN p.week_id AND p.last_week_id AND w.status <> 'open')
       ORDER BY payment_id`,
      [userId],
    );
    return rows.map((row) => row.payment_id);
  }

  async find(manager: EntityManager, paymentId: string): Promise<PurchaseRow | null> {
    const [row] = await manager.query<PurchaseRow[]>(
      `SELECT payment_id, user_id, purpose, week_id, last_week_id, pool_id, amount, currency, escrow, refused, taken_back_at
       FROM week_purchases WHERE payment_id = $1`,
      [paymentId],
    );
    return row ?? null;
  }

  async insert(manager: EntityManager, purchase: NewPurchase): Promise<void> {
    await manager.query(
      `INSERT INTO week_purchases (payment_id, user_id, purpose, week_id, last_week_id, pool_id, amount, currency, escrow,
                                   refused, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [
        purchase.paymentId,
        purchase.userId,
        purchase.purpose,
        purchase.span.first,
        purchase.span.last,
        purchase.poolId,
        purchase.amount,
        purchase.currency,
        purchase.escrow,
        purchase.refused,
        purchase.now,
      ],
    );
  }

  async markTakenBack(manager: EntityManager, paymentId: string, now: Date): Promise<void> {
    await manager.query('UPDATE week_purchases SET taken_back_at = $2 WHERE payment_id = $1', [
      paymentId,
      now,
    ]);
  }

  /** The last week that the user's subscription has been paid for, but for payments whose weeks all come after that one. */
  async subscribedUntil(manager: EntityManager, userId: string, lastWeek: number): Promise<number | null> {
    const [row] = await manager.query<{ last: number | null }[]>(
      `SELECT max(last_week_id) AS last FROM week_purchases
       WHERE user_id = $1 AND purpose = 'subscription' AND week_id <= $2 AND refused IS NULL AND taken_back_at IS NULL`,
      [userId, lastWeek],
    );
    return row?.last ?? null;
  }

  /** Takes back the pass of a week that is not drawn yet; the caller has locked the week. */
  async deletePass(manager: EntityManager, userId: string, weekId: number, source: string): Promise<boolean> {
    const [, count] = await manager.query<[unknown[], number]>(
      `DELETE FROM week_passes p USING weeks w
       WHERE p.user_id = $1 AND p.week_id = $2 AND p.source = $3 AND w.id = p.week_id AND w.status = 'open'`,
      [userId, weekId, source],
    );
    return count === 1;
  }

  /** What was paid for a week, alone or with others, and not given back. Indexes: ix_week_purchases_week, ix_week_purchases_subscription. */
  async playedIn(manager: EntityManager, weekId: number): Promise<PlayedRow[]> {
    return await manager.query<PlayedRow[]>(
      `SELECT payment_id, week_id, last_week_id, amount FROM week_purchases
       WHERE purpose <> 'subscription' AND week_id = $1 AND refused IS NULL AND taken_back_at IS NULL
       UNION ALL
       SELECT payment_id, week_id, last_week_id, amount FROM week_purchases
       WHERE purpose = 'subscription' AND week_id <= $1 AND last_week_id >= $1 AND refused IS NULL AND taken_back_at IS NULL
       ORDER BY payment_id`,
      [weekId],
    );
  }

  /** Weeks of a span that were drawn. */
  async countDrawn(manager: EntityManager, { first, last }: WeekSpan): Promise<number> {
    const [row] = await manager.query<{ n: number }[]>(
      "SELECT count(*)::int AS n FROM weeks WHERE id BETWEEN $1 AND $2 AND status <> 'open'",
      [first, last],
    );
    return row?.n ?? 0;
  }
}
