import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
  sectionsOf,
} from '../../platform/privacy/personal-data.decorator.js';

const BOOKS =
  'the books of money that was paid and given back, which the law wants kept; ids and figures only';

@HoldsPersonalData()
@Injectable()
export class PaymentsPersonalData implements PersonalDataHolder {
  readonly tables = ['provider_events'];
  readonly kept = [
    { table: 'payments', why: BOOKS },
    { table: 'payment_references', why: BOOKS },
    { table: 'payment_refunds', why: BOOKS },
    { table: 'payment_disputes', why: BOOKS },
    { table: 'payment_differences', why: BOOKS },
    { table: 'subscriptions', why: BOOKS },
  ];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    const section = sectionsOf(snapshot, userId);
    return [
      section(
        'payments',
        `SELECT id, purpose, subject, amount, currency, provider, status, failure_code, paid_amount, paid_currency, refunded,
                period_end, place, created_at, confirmed_at, failed_at
         FROM payments WHERE user_id = $1 ORDER BY id`,
      ),
      section(
        'payment-refunds',
        `SELECT r.id, r.payment_id, r.amount, p.paid_currency AS currency, r.reason, r.status, r.created_at, r.completed_at
         FROM payments p JOIN payment_refunds r ON r.payment_id = p.id WHERE p.user_id = $1 ORDER BY r.id`,
      ),
      section(
        'payment-disputes',
        `SELECT d.id, d.payment_id, d.amount, d.currency, d.charged, d.opened_at, d.outcome, d.closed_at
         FROM payments p JOIN payment_disputes d ON d.payment_id = p.id WHERE p.user_id = $1 ORDER BY d.id`,
      ),
      section(
        'payment-events',
        `SELECT e.provider, e.type, e.payment_id, e.received_at, encode(e.raw_body, 'escape') AS body
         FROM payments p JOIN provider_events e ON e.payment_id = p.id WHERE p.user_id = $1 ORDER BY e.id`,
      ),
      section(
        'subscriptions',
        `SELECT id, provider, amount, currency, status, period_end, cancel_at_period_end, created_at, ended_at
         FROM subscriptions WHERE user_id = $1 ORDER BY id`,
      ),
    ];
  }

  /** What providers wrote names payers. That they told something, when, and what came of it, are the books. */
  async erase(manager: EntityManager, userId: string): Promise<void> {
    await manager.query(
      `UPDATE provider_events SET raw_body = NULL
       WHERE raw_body IS NOT NULL AND payment_id = ANY (ARRAY(SELECT id FROM payments WHERE user_id = $1))`,
      [userId],
    );
    await manager.query(
      "UPDATE payment_refunds SET reason = '' WHERE payment_id = ANY (ARRAY(SELECT id FROM payments WHERE user_id = $1))",
      [userId],
    );
    await manager.query(
      "UPDATE payments SET redirect_url = NULL, place = NULL WHERE user_id = $1 AND status <> 'pending'",
      [userId],
    );
  }

  /** Money that is on its way, stands aside or is disputed must find its owner, and a subscription would go on being paid. */
  async openMatter(manager: EntityManager, userId: string): Promise<string | null> {
    const rows = await manager.query<unknown[]>(
      `SELECT FROM payments WHERE user_id = $1 AND status IN ('created', 'pending', 'in_review', 'refunding', 'disputed')
       UNION ALL SELECT FROM subscriptions WHERE user_id = $1 AND status <> 'cancelled' LIMIT 1`,
      [userId],
    );
    return rows.length > 0 ? 'open_payments' : null;
  }
}
