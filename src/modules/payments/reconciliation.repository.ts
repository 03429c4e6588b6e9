import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';

export type DifferenceKind = 'unknown_here' | 'missing_there' | 'not_booked' | 'amount_differs';

export interface Difference {
  readonly reference: string;
  readonly kind: DifferenceKind;
  readonly paymentId: string | null;
  readonly ours: bigint | null;
  readonly theirs: bigint | null;
  readonly currency: string | null;
}

export interface DifferenceRow {
  readonly id: string;
  readonly provider: string;
  readonly reference: string;
  readonly kind: DifferenceKind;
  readonly payment_id: string | null;
  readonly ours: string | null;
  readonly theirs: string | null;
  readonly currency: string | null;
  readonly found_at: Date;
  readonly resolved_at: Date | null;
  readonly note: string | null;
}

/** Our payment of a listed one, as far as they are compared. */
export interface BookedRow {
  readonly id: string;
  readonly paid_amount: string | null;
  readonly paid_currency: string | null;
}

/** So many wait for an operator, the oldest of them since then. */
interface AttentionRow {
  readonly what: 'differences' | 'unknown' | 'failing' | 'in_review' | 'overdue';
  readonly count: number;
  readonly since: Date | null;
}

const COLUMNS =
  'id, provider, reference, kind, payment_id, ours, theirs, currency, found_at, resolved_at, note';

/** Our books beside a provider's. */
@Injectable()
export class ReconciliationRepository {
  constructor(private readonly database: Database) {}

  /**
   * Days up to that one which were not compared, the oldest first: since the first that ever was, or else since the first that has
   * anything to compare; at least that one. Not those that are being compared. Indexes: ux_payment_reconciliations_day,
   * ix_payments_confirmed.
   */
  async daysDue(provider: string, last: string, lostBefore: Date, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ day: string }>(
      'reconciliation.days_due',
      `SELECT d::date::text AS day
       FROM generate_series(
         least($2::date, coalesce((SELECT min(day) FROM payment_reconciliations WHERE provider = $1),
           (SELECT (min(confirmed_at) AT TIME ZONE 'UTC')::date FROM payments WHERE provider = $1 AND confirmed_at IS NOT NULL)))::timestamp,
         $2::date::timestamp, interval '1 day') AS d
       WHERE NOT EXISTS (SELECT FROM payment_reconciliations r WHERE r.provider = $1 AND r.day = d::date
                         AND (r.completed_at IS NOT NULL OR r.started_at >= $3))
       ORDER BY d LIMIT $4`,
      [provider, last, lostBefore, limit],
    );
    return rows.map(({ day }) => day);
  }

  /** The id of a day's comparison, for one worker; null when it is made, or being made. */
  async claimDay(
    id: string,
    provider: string,
    day: string,
    now: Date,
    lostBefore: Date,
  ): Promise<string | null> {
    const [row] = await this.database.query<{ id: string }>(
      'reconciliation.claim',
      `INSERT INTO payment_reconciliations (id, provider, day, started_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT ON CONSTRAINT ux_payment_reconciliations_day DO UPDATE SET started_at = excluded.started_at
       WHERE payment_reconciliations.completed_at IS NULL AND payment_reconciliations.started_at < $5 RETURNING id`,
      [id, provider, day, now, lostBefore],
    );
    return row?.id ?? null;
  }

  async complete(id: string, figures: { listed: number; booked: number; now: Date }): Promise<void> {
    await this.database.query(
      'reconciliation.complete',
      'UPDATE payment_reconciliations SET completed_at = $4, listed = $2, booked = $3 WHERE id = $1',
      [id, figures.listed, figures.booked, figures.now],
    );
  }

  /** Our payments of what a provider lists, in its order; null where there is none. Indexes: primary keys. */
  async matching(
    provider: string,
    listed: readonly { paymentId: string | null; reference: string }[],
  ): Promise<(BookedRow | null)[]> {
    const rows = await this.database.query<Omit<BookedRow, 'id'> & { id: string | null }>(
      'reconciliation.matching',
      `SELECT p.id, p.paid_amount, p.paid_currency
       FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS l (payment_id, reference, i)
       LEFT JOIN payment_references r ON r.provider = $1 AND r.reference = l.reference
       LEFT JOIN payments p ON p.id = coalesce(r.payment_id, l.payment_id) AND p.provider = $1
       ORDER BY l.i`,
      [provider, listed.map(({ paymentId }) => paymentId), listed.map(({ reference }) => reference)],
    );
    return rows.map(({ id, ...row }) => (id === null ? null : { id, ...row }));
  }

  /** Payments that were booked in the time, after that one, each with all its names. Index: ix_payments_confirmed. */
  async booked(
    provider: string,
    range: { from: Date; to: Date; after: { at: Date; id: string } | null; limit: number },
  ): Promise<(BookedRow & { confirmed_at: Date; references: string[] })[]> {
    return await this.database.query(
      'reconciliation.booked',
      `SELECT p.id, p.paid_amount, p.paid_currency, p.confirmed_at,
              ARRAY(SELECT r.reference FROM payment_references r WHERE r.payment_id = p.id) AS "references"
       FROM payments p
       WHERE p.provider = $1 AND p.confirmed_at >= $2 AND p.confirmed_at < $3
         AND ($4::timestamptz IS NULL OR (p.confirmed_at, p.id) > ($4, $5::uuid))
       ORDER BY p.confirmed_at, p.id LIMIT $6`,
      [provider, range.from, range.to, range.after?.at ?? null, range.after?.id ?? null, range.limit],
    );
  }

  /** Notes what does not agree; what is noted already is not noted again. */
  async report(
    id: string,
    provider: string,
    { reference, kind, ...rest }: Difference,
    now: Date,
  ): Promise<void> {
    await this.database.query(
      'reconciliation.report',
      `INSERT INTO payment_differences (id, provider, reference, kind, payment_id, ours, theirs, currency, found_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT ON CONSTRAINT ux_payment_differences DO NOTHING`,
      [id, provider, reference, kind, rest.paymentId, rest.ours, rest.theirs, rest.currency, now],
    );
  }

  /** Closes what has come to agree. */
  async agree(provider: string, references: readonly string[], now: Date): Promise<void> {
    await this.database.query(
      'reconciliation.agree',
      `UPDATE payment_differences SET resolved_at = $3
       WHERE provider = $1 AND reference = ANY ($2) AND resolved_at IS NULL`,
      [provider, references, now],
    );
  }

  /** By the time they were found, newest first. Index: ix_payment_differences_open. */
  async list(filter: { open: boolean; before: string | null; limit: number }): Promise<DifferenceRow[]> {
    return await this.database.query<DifferenceRow>(
      'reconciliation.differences',
      `SELECT ${COLUMNS} FROM payment_differences
       WHERE (resolved_at IS NULL) = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
      [filter.open, filter.before, filter.limit],
    );
  }

  async resolve(
    manager: EntityManager,
    id: string,
    by: { adminId: string; note: string; now: Date },
  ): Promise<DifferenceRow | null> {
    const [rows] = await manager.query<[DifferenceRow[], number]>(
      `UPDATE payment_differences SET resolved_at = $2, resolved_by = $3, note = $4
       WHERE id = $1 AND resolved_at IS NULL RETURNING ${COLUMNS}`,
      [id, by.now, by.adminId, by.note],
    );
    return rows[0] ?? null;
  }

  /**
   * What operators watch, and since when: differences and events nobody has dealt with, events that cannot be applied (one is
   * tried again each minute), payments set aside, payments to be asked about.
   */
  async figures(now: Date): Promise<AttentionRow[]> {
    return await this.database.query<AttentionRow>(
      'reconciliation.figures',
      `SELECT 'differences' AS what, count(*)::int AS count, min(found_at) AS since
       FROM payment_differences WHERE resolved_at IS NULL
       UNION ALL SELECT 'unknown', count(*)::int, min(received_at) FROM provider_events WHERE outcome = 'unknown'
       UNION ALL SELECT 'failing', count(*)::int, min(received_at) FROM provider_events
         WHERE applied_at IS NULL AND received_at < $1::timestamptz - interval '10 minutes'
       UNION ALL SELECT 'in_review', count(*)::int, min(confirmed_at) FROM payments WHERE status = 'in_review'
       UNION ALL SELECT 'overdue', count(*)::int, min(check_at) FROM payments WHERE check_at < $1`,
      [now],
    );
  }
}
