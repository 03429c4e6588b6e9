import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';

export interface PaidRow {
  currency: string;
  staked: string;
  paid_in: string;
}

export interface PaidDayRow {
  user_id: string;
  payments: number;
  declined: number;
  paid_in_while_withdrawing: number;
}

/** What was paid, for those who look after people. */
@Injectable()
export class PaymentsPlayedRepository {
  constructor(private readonly database: Database) {}

  /** What was bought and what was paid in since, by currency. Index: ix_payments_user_confirmed. */
  async since(userId: string, since: Date): Promise<PaidRow[]> {
    return await this.database.query<PaidRow>(
      'payments.played_since',
      `SELECT paid_currency AS currency, coalesce(sum(paid_amount) FILTER (WHERE purpose <> 'deposit'), 0) AS staked,
              coalesce(sum(paid_amount) FILTER (WHERE purpose = 'deposit'), 0) AS paid_in
       FROM payments WHERE user_id = $1 AND confirmed_at >= $2 GROUP BY paid_currency ORDER BY paid_currency`,
      [userId, since],
    );
  }

  /**
   * Who paid or was declined, of payments begun within the week before the day's end, in the order of their ids. Index:
   * ix_payments_created.
   */
  async payersOn(
    manager: EntityManager,
    { from, to }: { from: Date; to: Date },
    page: { after: string | null; limit: number },
  ): Promise<string[]> {
    const rows = await manager.query<{ user_id: string }[]>(
      `SELECT DISTINCT user_id FROM payments
       WHERE created_at >= $2::timestamptz - interval '7 days' AND created_at < $2
         AND ((confirmed_at >= $1 AND confirmed_at < $2) OR (failed_at >= $1 AND failed_at < $2)
              OR EXISTS (SELECT FROM unnest(declined_at) AS d WHERE d >= $1 AND d < $2))
         AND ($3::uuid IS NULL OR user_id > $3)
       ORDER BY user_id LIMIT $4`,
      [from, to, page.after, page.limit],
    );
    return rows.map(({ user_id: userId }) => userId);
  }

  /**
   * What these people paid on a day, but for subscriptions, which renew by themselves. Indexes: ix_payments_user_confirmed,
   * ix_payments_user_failed, ix_payments_user_declined, ix_withdrawals_user.
   */
  async dayOf(
    manager: EntityManager,
    userIds: readonly string[],
    { from, to }: { from: Date; to: Date },
  ): Promise<PaidDayRow[]> {
    return await manager.query<PaidDayRow[]>(
      `SELECT p.id AS user_id, paid.payments, paid.while_withdrawing AS paid_in_while_withdrawing,
              failed.n + declined.n AS declined
       FROM unnest($1::uuid[]) AS p (id)
       CROSS JOIN LATERAL (
         SELECT count(*)::int AS payments, count(*) FILTER (WHERE EXISTS (
             SELECT FROM withdrawals w WHERE w.user_id = p.id AND w.requested_at <= y.confirmed_at
               AND (w.settled_at IS NULL OR w.settled_at > y.confirmed_at)))::int AS while_withdrawing
         FROM payments y
         WHERE y.user_id = p.id AND y.confirmed_at >= $2 AND y.confirmed_at < $3 AND y.purpose <> 'subscription') paid
       CROSS JOIN LATERAL (
         SELECT count(*)::int AS n FROM payments y
         WHERE y.user_id = p.id AND y.failed_at >= $2 AND y.failed_at < $3 AND y.purpose <> 'subscription') failed
       CROSS JOIN LATERAL (
         SELECT count(*)::int AS n FROM payments y, unnest(y.declined_at) AS d
         WHERE y.user_id = p.id AND y.declined_at <> '{}' AND d >= $2 AND d < $3 AND y.purpose <> 'subscription') declined`,
      [userIds, from, to],
    );
  }
}
