import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';

/** Null where nothing is asked for; times as ISO 8601. */
export interface EntryFilter {
  readonly type: string | null;
  readonly currency: string | null;
  readonly from: string | null;
  readonly to: string | null;
}

/** The place of an entry in the order of a user's entries: microseconds since 1970 at which it was booked, then its id. */
export interface EntryKey {
  readonly micros: string;
  readonly id: string;
}

/** Before and after every entry there can be. */
export const FIRST: EntryKey = { micros: '0', id: '0' };
export const LAST: EntryKey = { micros: '99999999999999999', id: '0' };

export interface EntryRow {
  id: string;
  micros: string;
  transfer_id: string;
  type: string;
  account: 'available' | 'held';
  amount: string;
  currency: string;
  balance_after: string;
  reference: string;
  reverses: string | null;
  created_at: Date;
  effective_at: Date;
}

export interface EntryPage {
  readonly rows: EntryRow[];
  /** The last entry that was looked at, when there may be fitting ones after it. */
  readonly goesOnAfter: EntryKey | null;
}

/** What is asked of the table, with the entries of an answer or none. */
type SeenRow = { seen: number; last_micros: string | null; last_id: string | null } & (
  EntryRow | { id: null }
);

export interface HoldRow {
  id: string;
  purpose: string;
  status: 'held' | 'captured' | 'released' | 'expired';
  amount: string;
  captured: string;
  released: string;
  currency: string;
  expires_at: Date | null;
  created_at: Date;
}

/** Entries that are looked through for those of one type at a time. */
const LOOKED_THROUGH = 5000;

/**
 * Of each of the user's accounts at most $9 entries, and of all of them the first $9: those are looked through for the type, so
 * that a page costs the same however rare it is and however many there are. One row at least, with the last one looked at; the
 * rest of it is null when none fits. Indexes: ux_ledger_accounts, ix_ledger_entries_account.
 */
function entriesSql(order: 'ASC' | 'DESC'): string {
  return `WITH seen AS MATERIALIZED (
      SELECT a.kind, a.currency AS account_currency, entry.* FROM ledger_accounts a
      CROSS JOIN LATERAL (
        SELECT e.id, e.transfer_id, e.amount, e.balance_after, e.created_at FROM ledger_entries e
        WHERE e.account_id = a.id
          AND (e.created_at, e.id) > ('epoch'::timestamptz + $2::bigint * interval '1 microsecond', $3::bigint)
          AND (e.created_at, e.id) < ('epoch'::timestamptz + $4::bigint * interval '1 microsecond', $5::bigint)
          AND e.created_at >= coalesce($6::timestamptz, '-infinity') AND e.created_at < coalesce($7::timestamptz, 'infinity')
        ORDER BY e.created_at ${order}, e.id ${order} LIMIT $9) entry
      WHERE a.kind IN ('user_available', 'user_held') AND a.owner = $1 AND ($11::text IS NULL OR a.currency = $11)
      ORDER BY entry.created_at ${order}, entry.id ${order} LIMIT $9),
    last AS (
      SELECT ${microsOf('created_at')} AS last_micros, id AS last_id FROM seen
      ORDER BY created_at ${reversed(order)}, id ${reversed(order)} LIMIT 1)
    SELECT n.seen, last.last_micros, last.last_id, fitting.*
    FROM (SELECT count(*)::int AS seen FROM seen) n
    LEFT JOIN last ON true
    LEFT JOIN (
      SELECT e.id, ${microsOf('e.created_at')} AS micros, e.transfer_id, t.type,
             CASE e.kind WHEN 'user_held' THEN 'held' ELSE 'available' END AS account, e.amount,
             e.account_currency AS currency, e.balance_after, t.reference, t.reverses, e.created_at, t.effective_at
      FROM seen e
      CROSS JOIN LATERAL ( -- each by its key, however many entries the planner thinks there are
        SELECT * FROM ledger_transfers WHERE id = e.transfer_id OFFSET 0) t
      WHERE $8::text IS NULL OR t.type = $8
      ORDER BY e.created_at ${order}, e.id ${order} LIMIT $10) fitting ON true
    ORDER BY fitting.created_at ${order}, fitting.id ${order}`;
}

function microsOf(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000000)::bigint`;
}

function reversed(order: 'ASC' | 'DESC'): 'ASC' | 'DESC' {
  return order === 'ASC' ? 'DESC' : 'ASC';
}

const OLDEST_FIRST = entriesSql('ASC');
const NEWEST_FIRST = entriesSql('DESC');

@Injectable()
export class WalletRepository {
  constructor(private readonly database: Database) {}

  /** The newest entries of a user before a key. */
  async newestEntries(
    userId: string,
    filter: EntryFilter,
    page: { before: EntryKey; limit: number },
  ): Promise<EntryPage> {
    return await this.entries('wallet.newest_entries', NEWEST_FIRST, userId, filter, {
      ...page,
      after: FIRST,
    });
  }

  /** The oldest entries of a user between two keys, both left out. */
  async oldestEntries(
    userId: string,
    filter: EntryFilter,
    page: { after: EntryKey; before: EntryKey; limit: number },
  ): Promise<EntryPage> {
    return await this.entries('wallet.oldest_entries', OLDEST_FIRST, userId, filter, page);
  }

  private async entries(
    name: string,
    sql: string,
    userId: string,
    { type, currency, from, to }: EntryFilter,
    { after, before, limit }: { after: EntryKey; before: EntryKey; limit: number },
  ): Promise<EntryPage> {
    const looked = type === null ? limit : Math.max(limit, LOOKED_THROUGH);
    const [first, ...others] = await this.database.query<SeenRow>(name, sql, [
      userId,
      after.micros,
      after.id,
      before.micros,
      before.id,
      from,
      to,
      type,
      looked,
      limit,
      currency,
    ]);
    const rows = [first, ...others].filter((row) => row !== undefined && row.id !== null) as EntryRow[];
    const { seen = 0, last_micros: micros = null, last_id: id = null } = first ?? {};
    return { rows, goesOnAfter: seen === looked && micros !== null && id !== null ? { micros, id } : null };
  }

  /** Holds from the newest on. Index: ix_ledger_holds_user. */
  async holds(
    userId: string,
    page: { status: string | null; before: string | null; limit: number },
  ): Promise<HoldRow[]> {
    return await this.database.query(
      'wallet.holds',
      `SELECT id, purpose, status, amount, captured, released, currency, expires_at, created_at FROM ledger_holds
       WHERE user_id = $1 AND id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
         AND ($3::text IS NULL OR status = $3)
       ORDER BY id DESC LIMIT $4`,
      [userId, page.before, page.status, page.limit],
    );
  }
}
