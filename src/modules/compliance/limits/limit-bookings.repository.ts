import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { LimitKind, LimitPeriod } from '../../../platform/config/jurisdiction-rules.js';
import { Database } from '../../../platform/database/database.js';
import { bookingMachine, type BookingState } from './domain/booking-machine.js';

export interface BookingRow {
  reference: string;
  user_id: string;
  currency: string;
  amount: string;
  pays_in: boolean;
  stakes: boolean;
  status: BookingState;
  at_risk: string;
  given_back: string;
  counted_at: Date | null;
}

export interface NewEntry {
  readonly userId: string;
  readonly currency: string;
  readonly kind: LimitKind;
  readonly amount: bigint;
  readonly at: Date;
  readonly reference: string;
  readonly cause: string;
}

/** A sum that is asked for: what counts towards a kind of limit after a time. */
export interface Window {
  readonly kind: LimitKind;
  readonly period: LimitPeriod;
  readonly after: Date;
}

/** What came of one kind in a window, and what is on its way or at risk, which counts whenever it was booked. */
const USED = `
  SELECT w.kind, w.period, coalesce(came.amount, 0) + coalesce(live.amount, 0) AS used
  FROM unnest($3::text[], $4::text[], $5::timestamptz[]) AS w (kind, period, after)
  CROSS JOIN LATERAL (
    SELECT sum(e.amount) AS amount FROM limit_entries e
    WHERE e.user_id = $1 AND e.currency = $2 AND e.kind = w.kind AND e.at > w.after) came
  CROSS JOIN LATERAL (
    SELECT sum(CASE WHEN b.status = 'open' THEN b.amount WHEN w.kind = 'loss' THEN b.at_risk ELSE 0 END) AS amount
    FROM limit_bookings b
    WHERE b.user_id = $1 AND b.currency = $2 AND (b.status = 'open' OR b.at_risk > 0)
      AND CASE w.kind WHEN 'deposit' THEN b.pays_in ELSE b.stakes END) live`;

/** Money that was let through, and what of it counts. */
@Injectable()
export class LimitBookingsRepository {
  constructor(private readonly database: Database) {}

  /**
   * What counts in each window, in one snapshot: the entries of a month at most, and what is open. Indexes:
   * ix_limit_entries_window, ix_limit_bookings_live.
   */
  async usedIn(
    manager: EntityManager,
    userId: string,
    currency: string,
    windows: readonly Window[],
  ): Promise<bigint[]> {
    if (windows.length === 0) return [];
    return usedOf(await manager.query<UsedRow[]>(USED, valuesOf(userId, currency, windows)), windows);
  }

  /** The same, as it is shown. */
  async shownIn(userId: string, currency: string, windows: readonly Window[]): Promise<bigint[]> {
    if (windows.length === 0) return [];
    const values = valuesOf(userId, currency, windows);
    return usedOf(await this.database.query<UsedRow>('limits.used', USED, values), windows);
  }

  /**
   * When so much of what came in a window was booked that without it, and all before it, this much less counts. Null: that much
   * never came. Index: ix_limit_entries_window.
   */
  async freedBy(
    manager: EntityManager,
    { userId, currency, kind, after }: Omit<Window, 'period'> & { userId: string; currency: string },
    needed: bigint,
  ): Promise<Date | null> {
    const [row] = await manager.query<{ at: Date }[]>(
      `SELECT at FROM (
         SELECT at, sum(amount) OVER (ORDER BY at) AS freed FROM limit_entries
         WHERE user_id = $1 AND currency = $2 AND kind = $3 AND at > $4) e
       WHERE freed >= $5 ORDER BY at LIMIT 1`,
      [userId, currency, kind, after, needed],
    );
    return row?.at ?? null;
  }

  async lock(manager: EntityManager, reference: string): Promise<BookingRow | null> {
    const [row] = await manager.query<BookingRow[]>(
      `SELECT reference, user_id, currency, amount, pays_in, stakes, status, at_risk, given_back, counted_at
       FROM limit_bookings WHERE reference = $1 FOR UPDATE`,
      [reference],
    );
    return row ?? null;
  }

  async insert(
    manager: EntityManager,
    booking: {
      reference: string;
      userId: string;
      currency: string;
      amount: bigint;
      paysIn: boolean;
      stakes: boolean;
      now: Date;
    },
  ): Promise<void> {
    await manager.query(
      `INSERT INTO limit_bookings (reference, user_id, currency, amount, pays_in, stakes, status, booked_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        booking.reference,
        booking.userId,
        booking.currency,
        booking.amount,
        booking.paysIn,
        booking.stakes,
        bookingMachine.initial,
        booking.now,
      ],
    );
  }

  /** The money came. False when it had come already. */
  async count(manager: EntityManager, reference: string, now: Date): Promise<boolean> {
    const [, count] = await manager.query<[unknown[], number]>(
      `UPDATE limit_bookings SET status = 'counted', counted_at = $3, at_risk = CASE WHEN stakes THEN amount ELSE 0 END
       WHERE reference = $1 AND status = ANY ($2)`,
      [reference, bookingMachine.from('count'), now],
    );
    return count === 1;
  }

  async release(manager: EntityManager, reference: string): Promise<void> {
    await manager.query(
      `UPDATE limit_bookings SET status = 'released' WHERE reference = $1 AND status = ANY ($2)`,
      [reference, bookingMachine.from('release')],
    );
  }

  /** The row is locked by the caller. */
  async change(
    manager: EntityManager,
    reference: string,
    { givenBack, atRisk }: { givenBack: bigint; atRisk: bigint },
  ): Promise<void> {
    await manager.query('UPDATE limit_bookings SET given_back = $2, at_risk = $3 WHERE reference = $1', [
      reference,
      givenBack,
      atRisk,
    ]);
  }

  /** When the last of a stake was decided; null: nothing of it is. Index: ux_limit_entries. */
  async lostAt(manager: EntityManager, reference: string): Promise<Date | null> {
    const [row] = await manager.query<{ at: Date | null }[]>(
      "SELECT max(at) AS at FROM limit_entries WHERE reference = $1 AND kind = 'loss'",
      [reference],
    );
    return row?.at ?? null;
  }

  /** Notes what counts; what was noted before stays as it is. Whether any of it was new. */
  async addEntries(manager: EntityManager, entries: readonly NewEntry[], now: Date): Promise<boolean> {
    if (entries.length === 0) return false;
    const rows = await manager.query<unknown[]>(
      `INSERT INTO limit_entries (user_id, currency, kind, amount, at, reference, cause, created_at)
       SELECT e.*, $8 FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::text[], $7::text[]) AS e
       ON CONFLICT (reference, kind, cause) DO NOTHING RETURNING 1`,
      [
        entries.map(({ userId }) => userId),
        entries.map(({ currency }) => currency),
        entries.map(({ kind }) => kind),
        entries.map(({ amount }) => String(amount)),
        entries.map(({ at }) => at),
        entries.map(({ reference }) => reference),
        entries.map(({ cause }) => cause),
        now,
      ],
    );
    return rows.length > 0;
  }

  /**
   * What of stakes is decided: no more at risk but lost, unless it was before for the same cause. It locks rows of bookings, in
   * their order, and waits for refunds of them; only then it looks.
   */
  async lose(
    manager: EntityManager,
    parts: readonly { reference: string; amount: bigint }[],
    { cause, now }: { cause: string; now: Date },
  ): Promise<void> {
    const references = parts.map(({ reference }) => reference);
    await manager.query(
      'SELECT FROM limit_bookings WHERE reference = ANY ($1) AND at_risk > 0 ORDER BY reference FOR UPDATE',
      [references],
    );
    await manager.query(
      `WITH due AS MATERIALIZED (
         SELECT b.reference, b.user_id, b.currency, least(b.at_risk, p.amount) AS amount
         FROM unnest($1::text[], $2::bigint[]) AS p (reference, amount)
         JOIN limit_bookings b ON b.reference = p.reference
         WHERE b.at_risk > 0 AND p.amount > 0 AND NOT EXISTS (
           SELECT FROM limit_entries e WHERE e.reference = b.reference AND e.kind = 'loss' AND e.cause = $3)),
       taken AS (
         UPDATE limit_bookings b SET at_risk = b.at_risk - d.amount FROM due d WHERE b.reference = d.reference)
       INSERT INTO limit_entries (user_id, currency, kind, amount, at, reference, cause, created_at)
       SELECT user_id, currency, 'loss', amount, $4, reference, $3, $4 FROM due`,
      [references, parts.map(({ amount }) => String(amount)), cause, now],
    );
  }
}

interface UsedRow {
  kind: LimitKind;
  period: LimitPeriod;
  used: string;
}

function valuesOf(userId: string, currency: string, windows: readonly Window[]): unknown[] {
  return [
    userId,
    currency,
    windows.map(({ kind }) => kind),
    windows.map(({ period }) => period),
    windows.map(({ after }) => after),
  ];
}

/** In the order of the windows. */
function usedOf(rows: readonly UsedRow[], windows: readonly Window[]): bigint[] {
  return windows.map(({ kind, period }) =>
    BigInt(rows.find((row) => row.kind === kind && row.period === period)?.used ?? 0),
  );
}
