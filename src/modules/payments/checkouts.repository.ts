import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import { paymentMachine } from './domain/payment-machine.js';

/** What beginning a payment looks at and writes down. */
@Injectable()
export class CheckoutsRepository {
  constructor(private readonly database: Database) {}

  /** One checkout of a user at a time, so that parallel ones count each other. */
  async lockBuyer(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('SELECT pg_advisory_xact_lock(uuid_hash_extended($1::uuid, 23))', [userId]);
  }

  /**
   * When the user's latest payments failed, or tries to pay them were declined, and how many were begun of late and are open. Indexes:
   * ix_payments_user_failed, ix_payments_user_declined, ix_payments_open.
   */
  async velocityOf(
    manager: EntityManager,
    userId: string,
    since: { failed: Date; begun: Date },
    limit: number,
  ): Promise<{ failedAt: Date[]; open: number }> {
    const failed = await manager.query<{ failed_at: Date }[]>(
      `SELECT failed_at FROM payments WHERE user_id = $1 AND failed_at > $2
       UNION ALL SELECT d FROM payments, unnest(declined_at) AS d WHERE user_id = $1 AND declined_at <> '{}' AND d > $2
       ORDER BY failed_at DESC LIMIT $3`,
      [userId, since.failed, limit],
    );
    const [open] = await manager.query<{ n: number }[]>(
      `SELECT count(*)::int AS n FROM payments
       WHERE user_id = $1 AND status IN ('created', 'pending') AND created_at > $2`,
      [userId, since.begun],
    );
    return { failedAt: failed.map((row) => row.failed_at), open: open?.n ?? 0 };
  }

  /**
   * What a user has deposited in all in the currency, or is about to; asked of those alone who are not known, and so may not have much. Index:
   * ix_payments_deposits.
   */
  async depositedBy(manager: EntityManager, userId: string, currency: string): Promise<bigint> {
    const [row] = await manager.query<{ amount: string }[]>(
      `SELECT coalesce(sum(amount), 0)::text AS amount FROM payments
       WHERE user_id = $1 AND currency = $2 AND purpose = 'deposit' AND status NOT IN ('failed', 'expired', 'cancelled')`,
      [userId, currency],
    );
    return BigInt(row?.amount ?? 0);
  }

  /** Lets one request at a time ask the provider for the checkout; false while another does. */
  async claimOpening(id: string, now: Date, until: Date): Promise<boolean> {
    const rows = await this.database.query(
      'payments.claim_opening',
      `UPDATE payments SET opening_until = $3
       WHERE id = $1 AND opened_at IS NULL AND status NOT IN ('failed', 'expired', 'cancelled')
         AND (opening_until IS NULL OR opening_until <= $2)
       RETURNING 1`,
      [id, now, until],
    );
    return rows.length > 0;
  }

  async giveUpOpening(id: string): Promise<void> {
    await this.database.query(
      'payments.give_up_opening',
      'UPDATE payments SET opening_until = NULL WHERE id = $1',
      [id],
    );
  }

  /** The provider has taken the checkout. */
  async opened(
    manager: EntityManager,
    id: string,
    checkout: { reference: string; redirectUrl: string | null; now: Date; checkAt: Date },
  ): Promise<void> {
    await manager.query(
      `UPDATE payments
       SET provider_reference = $2, redirect_url = $3, opened_at = $4, opening_until = NULL,
           status = CASE WHEN status = ANY ($6) THEN 'pending' ELSE status END,
           check_at = CASE WHEN status = ANY ($6) THEN $5 ELSE check_at END
       WHERE id = $1 AND opened_at IS NULL`,
      [
        id,
        checkout.reference,
        checkout.redirectUrl,
        checkout.now,
        checkout.checkAt,
        paymentMachine.from('open'),
      ],
    );
  }
}
