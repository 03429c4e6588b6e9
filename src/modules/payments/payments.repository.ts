import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { AccountRef } from '../wallet/ledger.types.js';
import { moneyStateOf, paymentMachine, type PaymentEvent } from './domain/payment-machine.js';
import { factsOf } from './payment-facts.js';
import type { PaymentPurpose, PaymentRow } from './payments.types.js';
import type { Money } from './provider.js';

export interface NewPayment {
  readonly id: string;
  readonly userId: string;
  readonly purpose: PaymentPurpose;
  readonly subject: string | null;
  readonly subscriptionId: string | null;
  readonly money: Money;
  readonly provider: string;
  readonly place: string | null;
  readonly now: Date;
  readonly checkAt: Date;
}

const COLUMNS = `id, user_id, purpose, subject, subscription_id, amount, currency, provider, provider_reference, redirect_url,
  status, failure_code, review, paid_amount, paid_currency, paid_to_kind, paid_to_owner, refunding, refunded, dispute,
  period_end, place, opened_at, created_at, confirmed_at, failed_at, checks`;

/** Payments themselves. Whoever changes one has locked its row, or names the states that it leaves. */
@Injectable()
export class PaymentsRepository {
  constructor(private readonly database: Database) {}

  async insert(manager: EntityManager, payment: NewPayment): Promise<void> {
    await manager.query(
      `INSERT INTO payments (id, user_id, purpose, subject, subscription_id, amount, currency, provider, status, created_at,
                             check_at, place)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      [
        payment.id,
        payment.userId,
        payment.purpose,
        payment.subject,
        payment.subscriptionId,
        payment.money.amount,
        payment.money.currency,
        payment.provider,
        paymentMachine.initial,
        payment.now,
        payment.checkAt,
        payment.place,
      ],
    );
  }

  /** Notes what the provider calls it. A name that stands for another payment is a provider's mistake, and fails. */
  async addReferences(
    manager: EntityManager,
    payment: PaymentRow,
    references: readonly string[],
  ): Promise<void> {
    if (references.length === 0) return;
    await manager.query(
      `INSERT INTO payment_references (provider, reference, payment_id)
       SELECT $2, r, $1 FROM unnest($3::text[]) AS r ON CONFLICT DO NOTHING`,
      [payment.id, payment.provider, references],
    );
    const strangers = await manager.query<{ reference: string }[]>(
      'SELECT reference FROM payment_references WHERE provider = $2 AND reference = ANY ($3) AND payment_id <> $1',
      [payment.id, payment.provider, references],
    );
    if (strangers.length > 0)
      throw new Error(
        `${payment.provider} gives payment ${payment.id} a reference of another: ${strangers[0]?.reference}`,
      );
  }

  /** Whether any of these is a name that the provider gave it. Index: primary key of payment_references. */
  async isKnownAs(
    manager: EntityManager,
    payment: PaymentRow,
    references: readonly string[],
  ): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      'SELECT 1 FROM payment_references WHERE provider = $2 AND reference = ANY ($3) AND payment_id = $1 LIMIT 1',
      [payment.id, payment.provider, references],
    );
    return rows.length > 0;
  }

  /** Ends a payment without money. False when it may not end so any more. */
  async end(
    manager: EntityManager,
    id: string,
    event: 'fail' | 'expire' | 'cancel',
    { failureCode, now }: { failureCode: string | null; now: Date },
  ): Promise<boolean> {
    const status = ({ fail: 'failed', expire: 'expired', cancel: 'cancelled' } as const)[event];
    const [, count] = await manager.query<[unknown[], number]>(
      `UPDATE payments
       SET status = $3, failure_code = $4, failed_at = CASE WHEN $3 = 'failed' THEN $5::timestamptz END, check_at = NULL
       WHERE id = $1 AND status = ANY ($2)`,
      [id, paymentMachine.from(event), status, failureCode, now],
    );
    return count === 1;
  }

  /** One try to pay it was declined. */
  async noteDeclined(manager: EntityManager, id: string, now: Date): Promise<void> {
    await manager.query('UPDATE payments SET declined_at = declined_at || $2::timestamptz WHERE id = $1', [
      id,
      now,
    ]);
  }

  /** Notes the money that came, and where it was booked to. Fails when there was some already: the caller has looked, under the lock. */
  async takeMoney(
    manager: EntityManager,
    id: string,
    event: 'succeed' | 'set_aside',
    booked: {
      paid: Money;
      to: AccountRef;
      reference: string;
      subscriptionId: string | null;
      periodEnd: Date | null;
      review: string | null;
      now: Date;
    },
  ): Promise<PaymentRow> {
    const [rows] = await manager.query<[PaymentRow[], number]>(
      `UPDATE payments
       SET status = $3, paid_amount = $4, paid_currency = $5, paid_to_kind = $6, paid_to_owner = $7, confirmed_at = $8,
           provider_reference = coalesce(provider_reference, $9), subscription_id = $10, period_end = $11, review = $12,
           failure_code = NULL, failed_at = NULL, check_at = NULL
       WHERE id = $1 AND status = ANY ($2) RETURNING ${COLUMNS}`,
      [
        id,
        paymentMachine.from(event),
        event === 'succeed' ? 'succeeded' : 'in_review',
        booked.paid.amount,
        booked.paid.currency,
        booked.to.kind,
        booked.to.owner,
        booked.now,
        booked.reference,
        booked.subscriptionId,
        booked.periodEnd,
        booked.review,
      ],
    );
    if (!rows[0]) throw new Error(`money for payment ${id} came twice`);
    return rows[0];
  }

  /** Changes what is known of the money, and the state with it. The row is locked by the caller. */
  async changeMoney(
    manager: EntityManager,
    payment: PaymentRow,
    change: Partial<
      Pick<PaymentRow, 'refunding' | 'refunded' | 'dispute' | 'review' | 'paid_to_kind' | 'paid_to_owner'>
    >,
  ): Promise<PaymentRow> {
    const next = { ...payment, ...change };
    const status = moneyStateOf(factsOf(next));
    const event: PaymentEvent = `become_${status}`;
    const [rows] = await manager.query<[PaymentRow[], number]>(
      `UPDATE payments SET refunding = $2, refunded = $3, dispute = $4, status = $5, review = $7, paid_to_kind = $8,
              paid_to_owner = $9
       WHERE id = $1 AND (status = $5 OR status = ANY ($6)) RETURNING ${COLUMNS}`,
      [
        payment.id,
        next.refunding,
        next.refunded,
        next.dispute,
        status,
        paymentMachine.from(event),
        next.review,
        next.paid_to_kind,
        next.paid_to_owner,
      ],
    );
    if (!rows[0]) throw new Error(`payment ${payment.id} is ${payment.status} and may not become ${status}`);
    return rows[0];
  }

  async find(id: string): Promise<PaymentRow | null> {
    const [row] = await this.database.query<PaymentRow>(
      'payments.one',
      `SELECT ${COLUMNS} FROM payments WHERE id = $1`,
      [id],
    );
    return row ?? null;
  }

  async lock(manager: EntityManager, id: string): Promise<PaymentRow | null> {
    const [row] = await manager.query<PaymentRow[]>(
      `SELECT ${COLUMNS} FROM payments WHERE id = $1 FOR UPDATE`,
      [id],
    );
    return row ?? null;
  }

  /** By any of the names that the provider gives it. Index: primary key of payment_references. */
  async findByReference(provider: string, reference: string): Promise<string | null> {
    const [row] = await this.database.query<{ payment_id: string }>(
      'payments.by_reference',
      'SELECT payment_id FROM payment_references WHERE provider = $1 AND reference = $2',
      [provider, reference],
    );
    return row?.payment_id ?? null;
  }

  /** Newest first. Index: ix_payments_user. */
  async ofUser(
    userId: string,
    filter: { before: string | null; limit: number; status: string | null; purpose: string | null },
  ): Promise<PaymentRow[]> {
    return await this.database.query<PaymentRow>(
      'payments.of_user',
      `SELECT ${COLUMNS} FROM payments
       WHERE user_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($4::text IS NULL OR status = $4)
         AND ($5::text IS NULL OR purpose = $5)
       ORDER BY id DESC LIMIT $3`,
      [userId, filter.before, filter.limit, filter.status, filter.purpose],
    );
  }

  /** Payments whose time to be asked about has come, each claimed for a while by whoever gets it. Index: ix_payments_check. */
  async claimChecks(now: Date, until: Date, limit: number): Promise<PaymentRow[]> {
    return await this.database.query<PaymentRow>(
      'payments.claim_checks',
      `UPDATE payments SET check_at = $2
       WHERE id = ANY (ARRAY(SELECT id FROM payments WHERE check_at <= $1 ORDER BY check_at LIMIT $3 FOR UPDATE SKIP LOCKED))
       RETURNING ${COLUMNS}`,
      [now, until, limit],
    );
  }

  async checkAgain(id: string, at: Date): Promise<void> {
    await this.database.query(
      'payments.check_again',
      'UPDATE payments SET check_at = $2, checks = checks + 1 WHERE id = $1 AND check_at IS NOT NULL',
      [id, at],
    );
  }

  /** Deposits that wait at their providers. Index: ix_payments_open. */
  async pendingDeposits(
    userIds: readonly string[],
  ): Promise<{ user_id: string; currency: string; amount: string }[]> {
    return await this.database.query(
      'payments.pending_deposits',
      `SELECT user_id, currency, sum(amount) AS amount FROM payments
       WHERE user_id = ANY ($1) AND status = 'pending' AND purpose = 'deposit'
       GROUP BY user_id, currency`,
      [userIds],
    );
  }
}
