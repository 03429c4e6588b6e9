import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../../platform/database/database.js';

export interface RefundRow {
  id: string;
  merchant_reference: string;
  checkout_id: string;
  amount: string;
  currency: string;
  created_at: Date;
}

export interface PayoutRow {
  id: string;
  merchant_reference: string;
  amount: string;
  currency: string;
  status: 'pending' | 'paid' | 'failed';
  /** How it ends, or has ended. */
  outcome: 'paid' | 'failed';
  failure_code: string | null;
  created_at: Date;
}

export interface SubscriptionRow {
  id: string;
  amount: string;
  currency: string;
  status: 'active' | 'cancelled';
  renewals_fail: boolean;
  cancel_at_period_end: boolean;
  failures: number;
  period_end: Date;
  next_charge_at: Date;
  created_at: Date;
}

/** What the sandbox gives back, pays out and charges again, and what it tells of it. */
@Injectable()
export class SandboxBooksRepository {
  constructor(private readonly database: Database) {}

  /** False when the merchant's reference is known. */
  async insertRefund(manager: EntityManager, row: RefundRow): Promise<boolean> {
    const inserted = await manager.query<unknown[]>(
      `INSERT INTO sandbox_refunds (id, merchant_reference, checkout_id, amount, currency, created_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (merchant_reference) DO NOTHING RETURNING 1`,
      [row.id, row.merchant_reference, row.checkout_id, row.amount, row.currency, row.created_at],
    );
    return inserted.length > 0;
  }

  async findRefund(merchantReference: string): Promise<RefundRow | null> {
    const [row] = await this.database.query<RefundRow>(
      'sandbox.refund_of',
      'SELECT * FROM sandbox_refunds WHERE merchant_reference = $1',
      [merchantReference],
    );
    return row ?? null;
  }

  /** False when the merchant's reference is known. */
  async insertPayout(manager: EntityManager, row: PayoutRow): Promise<boolean> {
    const inserted = await manager.query<unknown[]>(
      `INSERT INTO sandbox_payouts (id, merchant_reference, amount, currency, status, outcome, failure_code, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (merchant_reference) DO NOTHING RETURNING 1`,
      [
        row.id,
        row.merchant_reference,
        row.amount,
        row.currency,
        row.status,
        row.outcome,
        row.failure_code,
        row.created_at,
      ],
    );
    return inserted.length > 0;
  }

  async findPayout(merchantReference: string): Promise<PayoutRow | null> {
    const [row] = await this.database.query<PayoutRow>(
      'sandbox.payout_of',
      'SELECT * FROM sandbox_payouts WHERE merchant_reference = $1',
      [merchantReference],
    );
    return row ?? null;
  }

  /** Brings a payout to the end that it was made for; null when it has come to it before. */
  async endPayout(manager: EntityManager, id: string): Promise<PayoutRow | null> {
    const [rows] = await manager.query<[PayoutRow[], number]>(
      `UPDATE sandbox_payouts SET status = outcome WHERE id = $1 AND status = 'pending' RETURNING *`,
      [id],
    );
    return rows[0] ?? null;
  }

  async insertSubscription(manager: EntityManager, row: SubscriptionRow): Promise<void> {
    await manager.query(
      `INSERT INTO sandbox_subscriptions (id, amount, currency, renewals_fail, period_end, next_charge_at, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [
        row.id,
        row.amount,
        row.currency,
        row.renewals_fail,
        row.period_end,
        row.next_charge_at,
        row.created_at,
      ],
    );
  }

  async lockSubscription(manager: EntityManager, id: string): Promise<SubscriptionRow | null> {
    const [row] = await manager.query<SubscriptionRow[]>(
      'SELECT * FROM sandbox_subscriptions WHERE id = $1 FOR UPDATE',
      [id],
    );
    return row ?? null;
  }

  async saveSubscription(manager: EntityManager, row: SubscriptionRow): Promise<void> {
    await manager.query(
      `UPDATE sandbox_subscriptions
       SET status = $2, cancel_at_period_end = $3, failures = $4, period_end = $5, next_charge_at = $6 WHERE id = $1`,
      [row.id, row.status, row.cancel_at_period_end, row.failures, row.period_end, row.next_charge_at],
    );
  }

  async insertEvent(
    manager: EntityManager,
    event: { id: string; type: string; body: string; createdAt: Date },
  ): Promise<void> {
    await manager.query('INSERT INTO sandbox_events (id, type, body, created_at) VALUES ($1, $2, $3, $4)', [
      event.id,
      event.type,
      event.body,
      event.createdAt,
    ]);
  }

  async findEvent(id: string): Promise<{ body: string; created_at: Date } | null> {
    const [row] = await this.database.query<{ body: string; created_at: Date }>(
      'sandbox.event',
      'SELECT body, created_at FROM sandbox_events WHERE id = $1',
      [id],
    );
    return row ?? null;
  }

  async markDelivered(id: string, now: Date): Promise<void> {
    await this.database.query(
      'sandbox.delivered',
      'UPDATE sandbox_events SET delivered_at = coalesce(delivered_at, $2) WHERE id = $1',
      [id, now],
    );
  }
}
