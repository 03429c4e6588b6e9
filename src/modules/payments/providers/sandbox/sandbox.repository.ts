import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../../platform/database/database.js';
import type { SandboxCheckout } from './sandbox.types.js';

export interface CheckoutRow {
  id: string;
  merchant_reference: string | null;
  recurring: boolean;
  subscription_id: string | null;
  amount: string;
  currency: string;
  description: string;
  return_url: string | null;
  status: SandboxCheckout['status'];
  failure_code: string | null;
  refunded: string;
  created_at: Date;
  expires_at: Date;
  period_end: Date | null;
  paid_at: Date | null;
}

/** What people pay at the sandbox. */
@Injectable()
export class SandboxRepository {
  constructor(private readonly database: Database) {}

  /** False when the merchant's reference is known. */
  async insertCheckout(
    manager: EntityManager,
    row: Omit<CheckoutRow, 'failure_code' | 'refunded'>,
  ): Promise<boolean> {
    const inserted = await manager.query<unknown[]>(
      `INSERT INTO sandbox_checkouts (id, merchant_reference, recurring, subscription_id, amount, currency, description,
                                      return_url, status, created_at, expires_at, period_end, paid_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (merchant_reference) DO NOTHING RETURNING 1`,
      [
        row.id,
        row.merchant_reference,
        row.recurring,
        row.subscription_id,
        row.amount,
        row.currency,
        row.description,
        row.return_url,
        row.status,
        row.created_at,
        row.expires_at,
        row.period_end,
        row.paid_at,
      ],
    );
    return inserted.length > 0;
  }

  async findCheckout(by: { id: string } | { merchantReference: string }): Promise<CheckoutRow | null> {
    const [row] =
      'id' in by
        ? await this.database.query<CheckoutRow>(
            'sandbox.checkout',
            'SELECT * FROM sandbox_checkouts WHERE id = $1',
            [by.id],
          )
        : await this.database.query<CheckoutRow>(
            'sandbox.checkout_of',
            'SELECT * FROM sandbox_checkouts WHERE merchant_reference = $1',
            [by.merchantReference],
          );
    return row ?? null;
  }

  async exists(manager: EntityManager, id: string): Promise<boolean> {
    const rows = await manager.query<unknown[]>('SELECT FROM sandbox_checkouts WHERE id = $1', [id]);
    return rows.length > 0;
  }

  /** Holds it until the commit, if it is in one of these states. */
  async lockUndecided(
    manager: EntityManager,
    id: string,
    states: readonly CheckoutRow['status'][],
  ): Promise<CheckoutRow | null> {
    const [row] = await manager.query<CheckoutRow[]>(
      'SELECT * FROM sandbox_checkouts WHERE id = $1 AND status = ANY ($2) FOR UPDATE',
      [id, states],
    );
    return row ?? null;
  }

  /** Of a checkout that is held; the row as it is then. */
  async decide(
    manager: EntityManager,
    id: string,
    set: {
      status: CheckoutRow['status'];
      failureCode: string | null;
      subscription: { id: string; periodEnd: Date } | null;
      paidAt: Date | null;
    },
  ): Promise<CheckoutRow> {
    const [[row]] = await manager.query<[[CheckoutRow], number]>(
      `UPDATE sandbox_checkouts SET status = $2, failure_code = $3, subscription_id = $4, period_end = $5, paid_at = $6
       WHERE id = $1 RETURNING *`,
      [
        id,
        set.status,
        set.failureCode,
        set.subscription?.id ?? null,
        set.subscription?.periodEnd ?? null,
        set.paidAt,
      ],
    );
    return row;
  }

  /** What was paid in `[from, to)`, after the last of the page before. Index: ix_sandbox_checkouts_paid. */
  async paidBetween(
    from: Date,
    to: Date,
    after: { paidAt: Date; id: string } | null,
    limit: number,
  ): Promise<CheckoutRow[]> {
    return await this.database.query<CheckoutRow>(
      'sandbox.paid',
      `SELECT * FROM sandbox_checkouts
       WHERE paid_at >= $1 AND paid_at < $2 AND ($3::timestamptz IS NULL OR (paid_at, id) > ($3, $4))
       ORDER BY paid_at, id LIMIT $5`,
      [from, to, after?.paidAt ?? null, after?.id ?? null, limit],
    );
  }

  /** Takes what is given back from what was paid; null when that is not there. */
  async takeBack(
    manager: EntityManager,
    id: string,
    amount: bigint,
    currency: string,
  ): Promise<CheckoutRow | null> {
    const [rows] = await manager.query<[CheckoutRow[], number]>(
      `UPDATE sandbox_checkouts SET refunded = refunded + $2
       WHERE id = $1 AND currency = $3 AND status = 'paid' AND refunded + $2 <= amount RETURNING *`,
      [id, amount.toString(), currency],
    );
    return rows[0] ?? null;
  }
}
