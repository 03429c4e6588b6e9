import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';

@Injectable()
export class RelationsRepository {
  constructor(private readonly database: Database) {}

  /**
   * Locks what stands between two users, in the order of their ids; false when there is no such other. Looks at them in a
   * statement of its own, which sees what was committed while this one waited.
   */
  async lockPair(manager: EntityManager, userId: string, otherId: string): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      'SELECT user_id FROM social_counts WHERE user_id = ANY ($1::uuid[]) ORDER BY user_id FOR UPDATE',
      [[userId, otherId]],
    );
    return rows.length === 2;
  }

  async isVisible(manager: EntityManager, viewerId: string, userId: string): Promise<boolean> {
    const [row] = await manager.query<{ visible: boolean }[]>(
      `SELECT status = 'active' AND closing_at IS NULL AND NOT users_blocked($1, $2) AS visible FROM users WHERE id = $2`,
      [viewerId, userId],
    );
    return row?.visible ?? false;
  }

  /** Indexes: primary key and ix_blocks_blocked of blocks. */
  async blockedEitherWay(viewerId: string, ids: readonly string[]): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      'users.blocked_either_way',
      `SELECT blocked_id AS id FROM blocks WHERE blocker_id = $1 AND blocked_id = ANY ($2::uuid[])
       UNION SELECT blocker_id FROM blocks WHERE blocked_id = $1 AND blocker_id = ANY ($2::uuid[])`,
      [viewerId, ids],
    );
    return rows.map(({ id }) => id);
  }

  /** Index: primary key of mutes. */
  async mutedBy(viewerId: string, ids: readonly string[]): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      'users.muted_by',
      'SELECT muted_id AS id FROM mutes WHERE muter_id = $1 AND muted_id = ANY ($2::uuid[])',
      [viewerId, ids],
    );
    return rows.map(({ id }) => id);
  }
}
