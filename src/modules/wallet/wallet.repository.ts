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

const COLUMNS = `e.id, (extract(epoch FROM e.created_at) * 1000000)::bigint AS micros, e.transfer_id, t.type,
  CASE a.kind WHEN 'user_held' THEN 'held' ELSE 'available' END AS account, e.amount, a.currency, e.balance_after,
  t.reference, t.reverses, e.created_at, t.effective_at`;

/** Of each of the user's accounts as many as are asked for at most. Indexes: ux_ledger_accounts, ix_ledger_entries_account. */
function entriesSql(order: 'ASC' | 'DESC'): string {
  return `SELECT entry.* FROM ledger_accounts a
    CROSS JOIN LATERAL (
      SELECT ${COLUMNS} FROM ledger_entries e JOIN ledger_transfers t ON t.id = e.transfer_id
      WHERE e.account_id = a.id
        AND (e.created_at, e.id) > ('epoch'::timestamptz + $2::bigint * interval '1 microsecond', $3::bigint)
        AND (e.created_at, e.id) < ('epoch'::timestamptz + $4::bigint * interval '1 microsecond', $5::bigint)
        AND e.created_at >= coalesce($6::timestamptz, '-infinity') AND e.created_at < coalesce($7::timestamptz, 'infinity')
        AND ($8::text IS NULL OR t.type = $8)
      ORDER BY e.created_at ${order}, e.id ${order} LIMIT $9) entry
    WHERE a.kind IN ('user_available', 'user_held') AND a.owner = $1 AND ($10::text IS NULL OR a.currency = $10)
    ORDER BY entry.created_at ${order}, entry.id ${order} LIMIT $9`;
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
  ): Promise<EntryRow[]> {
    return await this.database.query(
      'wallet.newest_entries',
      NEWEST_FIRST,
      parametersOf(userId, filter, { ...page, after: FIRST }),
    );
  }

  /** The oldest entries of a user between two keys, both left out. */
  async oldestEntries(
    userId: string,
    filter: EntryFilter,
    page: { after: EntryKey; before: EntryKey; limit: number },
  ): Promise<EntryRow[]> {
    return await this.database.query(
      'wallet.oldest_entries',
      OLDEST_FIRST,
      parametersOf(userId, filter, page),
    );
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

function parametersOf(
  userId: string,
  { type, currency, from, to }: EntryFilter,
  { after, before, limit }: { after: EntryKey; before: EntryKey; limit: number },
): unknown[] {
  return [userId, after.micros, after.id, before.micros, before.id, from, to, type, limit, currency];
}
