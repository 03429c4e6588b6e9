import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';

/** What one user may have noted: whoever sends ever other fingerprints does not fill the table. */
const DEVICES_PER_USER = 20;

@Injectable()
export class BarredDevicesRepository {
  constructor(private readonly database: Database) {}

  /**
   * Notes the device, if there is one, of who is excluded now, and has all of theirs last as long as the longest exclusion does; of
   * everyone else nothing. One that had ended begins anew. To be called within the user's gate. Indexes: primary key,
   * ix_barred_devices_user, ix_restrictions_user_end.
   */
  async remember(manager: EntityManager, userId: string, device: Buffer | null, now: Date): Promise<void> {
    await manager.query(
      `WITH own AS (SELECT device FROM barred_devices WHERE user_id = $1 AND (ends_at IS NULL OR ends_at > $3)),
       longest AS (SELECT ends_at FROM restrictions
                   WHERE user_id = $1 AND kind = 'self_exclusion' AND (ends_at IS NULL OR ends_at > $3)
                   ORDER BY ends_at DESC NULLS FIRST LIMIT 1)
       INSERT INTO barred_devices AS b (device, user_id, ends_at, created_at)
       SELECT d.device, $1, longest.ends_at, $3 FROM longest, (
         SELECT device FROM own
         UNION SELECT $2::bytea WHERE $2::bytea IS NOT NULL AND (SELECT count(*) FROM own) < $4) AS d
       ON CONFLICT (device, user_id) DO UPDATE
       SET ends_at = excluded.ends_at,
           created_at = CASE WHEN b.ends_at <= excluded.created_at THEN excluded.created_at ELSE b.created_at END
       WHERE b.ends_at < coalesce(excluded.ends_at, 'infinity')`,
      [userId, device, now, DEVICES_PER_USER],
    );
  }

  /** How many users other than this one are excluded of those who noted the device, and since when. Index: primary key. */
  async othersOn(
    manager: EntityManager,
    device: Buffer,
    userId: string,
    now: Date,
  ): Promise<{ accounts: number; since: Date } | null> {
    const [row] = await manager.query<{ accounts: number; since: Date | null }[]>(
      `SELECT count(*)::int AS accounts, min(created_at) AS since FROM barred_devices
       WHERE device = $1 AND user_id <> $2 AND (ends_at IS NULL OR ends_at > $3)`,
      [device, userId, now],
    );
    return row?.since ? { accounts: row.accounts, since: row.since } : null;
  }

  /** Forgets at most `limit` that have ended; how many. Index: ix_barred_devices_end. */
  async forgetEnded(now: Date, limit: number): Promise<number> {
    const rows = await this.database.query(
      'barred_devices.forget',
      `DELETE FROM barred_devices WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM barred_devices WHERE ends_at <= $2 LIMIT $1)) RETURNING 1`,
      [limit, now],
    );
    return rows.length;
  }
}
