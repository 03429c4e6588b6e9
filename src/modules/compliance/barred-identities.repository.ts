import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';

export interface Bar {
  reason: 'self_exclusion' | 'ban';
  /** Null: for ever. */
  ends_at: Date | null;
}

@Injectable()
export class BarredIdentitiesRepository {
  constructor(private readonly database: Database) {}

  /** Notes the identities of who is barred now for one of these reasons, and until when if that is later; of everyone else nothing. */
  async remember(
    manager: EntityManager,
    userId: string,
    identities: readonly Buffer[],
    now: Date,
    reasons: readonly Bar['reason'][] = ['self_exclusion', 'ban'],
  ): Promise<void> {
    await manager.query(
      `INSERT INTO barred_identities (identity, user_id, reason, ends_at, created_at)
       SELECT i.identity, $1, b.reason, b.ends_at, $3 FROM unnest($2::bytea[]) AS i (identity), (
         SELECT 'ban' AS reason, banned_until AS ends_at FROM users
         WHERE id = $1 AND status = 'banned' AND (banned_until IS NULL OR banned_until > $3)
         UNION ALL
         (SELECT 'self_exclusion', ends_at FROM restrictions
          WHERE user_id = $1 AND kind = 'self_exclusion' AND (ends_at IS NULL OR ends_at > $3)
          ORDER BY ends_at DESC NULLS FIRST LIMIT 1)) AS b
       WHERE b.reason = ANY ($4)
       ON CONFLICT (identity, user_id, reason) DO UPDATE SET ends_at = excluded.ends_at
       WHERE barred_identities.ends_at < coalesce(excluded.ends_at, 'infinity')`,
      [userId, identities, now, reasons],
    );
  }

  /** What bars these identities now because of anybody but `userId`, the longest of each kind. Index: primary key. */
  async activeFor(
    manager: EntityManager,
    identities: readonly Buffer[],
    now: Date,
    userId: string | null,
  ): Promise<Bar[]> {
    return await manager.query<Bar[]>(
      `SELECT DISTINCT ON (reason) reason, ends_at FROM barred_identities
       WHERE identity = ANY ($1::bytea[]) AND (ends_at IS NULL OR ends_at > $2)
         AND user_id IS DISTINCT FROM $3::uuid
       ORDER BY reason, ends_at DESC NULLS FIRST`,
      [identities, now, userId],
    );
  }

  /** Forgets at most `limit` bars that have ended; how many. Index: ix_barred_identities_end. */
  async forgetEnded(now: Date, limit: number): Promise<number> {
    const rows = await this.database.query(
      'barred_identities.forget',
      `DELETE FROM barred_identities WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM barred_identities WHERE ends_at <= $2 LIMIT $1)) RETURNING 1`,
      [limit, now],
    );
    return rows.length;
  }
}
