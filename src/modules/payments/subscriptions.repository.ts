import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { SubscriptionRow } from './payments.types.js';
import type { Money } from './provider.js';

const COLUMNS = `id, user_id, provider, provider_reference, amount, currency, status, period_end, cancel_at_period_end,
  created_at`;

@Injectable()
export class SubscriptionsRepository {
  constructor(private readonly database: Database) {}

  /** The user's subscription that goes on, or else the last one that ended. Index: ix_subscriptions_user. */
  async findOfUser(userId: string): Promise<SubscriptionRow | null> {
    const [row] = await this.database.query<SubscriptionRow>(
      'subscriptions.of_user',
      `SELECT ${COLUMNS} FROM subscriptions WHERE user_id = $1 ORDER BY (status <> 'cancelled') DESC, id DESC LIMIT 1`,
      [userId],
    );
    return row ?? null;
  }

  async find(id: string): Promise<SubscriptionRow | null> {
    const [row] = await this.database.query<SubscriptionRow>(
      'subscriptions.one',
      `SELECT ${COLUMNS} FROM subscriptions WHERE id = $1`,
      [id],
    );
    return row ?? null;
  }

  /** Index: ux_subscriptions_live. */
  async hasLive(manager: EntityManager, userId: string): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      "SELECT 1 FROM subscriptions WHERE user_id = $1 AND status <> 'cancelled'",
      [userId],
    );
    return rows.length > 0;
  }

  async lockByReference(
    manager: EntityManager,
    provider: string,
    reference: string,
  ): Promise<SubscriptionRow | null> {
    const [row] = await manager.query<SubscriptionRow[]>(
      `SELECT ${COLUMNS} FROM subscriptions WHERE provider = $1 AND provider_reference = $2 FOR UPDATE`,
      [provider, reference],
    );
    return row ?? null;
  }

  /** False when the user has one that goes on: of two that were paid at once the second begins ended. Waits for the first. */
  async begin(
    manager: EntityManager,
    row: {
      id: string;
      userId: string;
      provider: string;
      reference: string;
      price: Money;
      periodEnd: Date;
      now: Date;
    },
  ): Promise<boolean> {
    const values = [
      row.id,
      row.userId,
      row.provider,
      row.reference,
      row.price.amount,
      row.price.currency,
      row.periodEnd,
      row.now,
    ];
    const live = await manager.query<unknown[]>(
      `INSERT INTO subscriptions (id, user_id, provider, provider_reference, amount, currency, status, period_end, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $8)
       ON CONFLICT (user_id) WHERE status <> 'cancelled' DO NOTHING RETURNING 1`,
      values,
    );
    if (live.length > 0) return true;
    await manager.query(
      `INSERT INTO subscriptions (id, user_id, provider, provider_reference, amount, currency, status, period_end, created_at,
                                  cancel_at_period_end, ended_at)
       VALUES ($1, $2, $3, $4, $5, $6, 'cancelled', $7, $8, true, $8)`,
      values,
    );
    return false;
  }

  async goesOn(manager: EntityManager, id: string): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      "SELECT 1 FROM subscriptions WHERE id = $1 AND status <> 'cancelled'",
      [id],
    );
    return rows.length > 0;
  }

  /** What the first payment was for, and from where it was made, as the later ones are. Index: ix_payments_subscription. */
  async firstPaymentOf(
    manager: EntityManager,
    id: string,
  ): Promise<{ subject: string; place: string | null } | null> {
    const [row] = await manager.query<{ subject: string; place: string | null }[]>(
      'SELECT subject, place FROM payments WHERE subscription_id = $1 AND subject IS NOT NULL ORDER BY id LIMIT 1',
      [id],
    );
    return row ?? null;
  }

  /** Whether there is a payment for the period that ends then, to the day. Index: ix_payments_subscription. */
  async isPaid(manager: EntityManager, id: string, periodEnd: Date): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `SELECT 1 FROM payments
       WHERE subscription_id = $1 AND period_end > $2::timestamptz - interval '1 day'
         AND period_end < $2::timestamptz + interval '1 day' LIMIT 1`,
      [id, periodEnd],
    );
    return rows.length > 0;
  }

  /** Paid until then: a renewal that comes late sets nothing back. */
  async renew(manager: EntityManager, id: string, periodEnd: Date): Promise<void> {
    await manager.query(
      `UPDATE subscriptions SET period_end = greatest(period_end, $2),
              status = CASE WHEN status = 'cancelled' THEN status ELSE 'active' END
       WHERE id = $1`,
      [id, periodEnd],
    );
  }

  /** Not when what could not be paid was paid by now, under the name that the provider gives it. */
  async fallBehind(manager: EntityManager, id: string, reference: string | null): Promise<boolean> {
    const [, count] = await manager.query<[unknown[], number]>(
      `UPDATE subscriptions s SET status = 'past_due'
       WHERE id = $1 AND status = 'active' AND NOT EXISTS (
         SELECT FROM payment_references r WHERE r.provider = s.provider AND r.reference = $2)`,
      [id, reference],
    );
    return count === 1;
  }

  async end(manager: EntityManager, id: string, now: Date): Promise<boolean> {
    const [, count] = await manager.query<[unknown[], number]>(
      `UPDATE subscriptions SET status = 'cancelled', cancel_at_period_end = true, ended_at = $2
       WHERE id = $1 AND status <> 'cancelled'`,
      [id, now],
    );
    return count === 1;
  }

  /** The user wants no more of it. Null when there is none that goes on; asked for twice it is answered twice. */
  async askToEnd(manager: EntityManager, userId: string): Promise<SubscriptionRow | null> {
    const [rows] = await manager.query<[SubscriptionRow[], number]>(
      `UPDATE subscriptions SET cancel_at_period_end = true WHERE user_id = $1 AND status <> 'cancelled' RETURNING ${COLUMNS}`,
      [userId],
    );
    return rows[0] ?? null;
  }

  /** Ends those that were to end and whose period is over, whatever the provider has told; how many. Index: ix_subscriptions_ending. */
  async endOverdue(now: Date): Promise<number> {
    const rows = await this.database.query(
      'subscriptions.end_overdue',
      `UPDATE subscriptions SET status = 'cancelled', ended_at = $1
       WHERE cancel_at_period_end AND status <> 'cancelled' AND period_end <= $1 RETURNING 1`,
      [now],
    );
    return rows.length;
  }
}
