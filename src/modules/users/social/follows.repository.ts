import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { FollowablePersonDto } from '../dto/person.dto.js';
import type { ListPosition } from './list-position.js';

export type FollowRow = FollowablePersonDto & { at: Date };

/** $1 the viewer, u the user that is shown. */
const SHOWN = `u.status = 'active' AND u.closing_at IS NULL
  AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = $1 AND b.blocked_id = u.id)
  AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = u.id AND b.blocked_id = $1)`;
const COLUMNS = `u.id, u.handle, u.display_name AS "displayName", p.avatar_url AS "avatarUrl", f.created_at AS at,
  EXISTS (SELECT FROM follows mine WHERE mine.follower_id = $1 AND mine.followee_id = u.id) AS following`;

/** Both counts change with the row, and only with it. The pair is held. */
@Injectable()
export class FollowsRepository {
  constructor(private readonly database: Database) {}

  /** Whether it is new. */
  async insert(manager: EntityManager, followerId: string, followeeId: string, at: Date): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `WITH added AS (
         INSERT INTO follows (follower_id, followee_id, created_at) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING RETURNING followee_id),
       counted AS (
         UPDATE social_counts SET followers = followers + (user_id = $2)::int, following = following + (user_id = $1)::int
         WHERE user_id IN ($1, $2) AND EXISTS (SELECT FROM added))
       SELECT followee_id FROM added`,
      [followerId, followeeId, at],
    );
    return rows.length > 0;
  }

  async delete(manager: EntityManager, followerId: string, followeeId: string): Promise<void> {
    await manager.query(
      `WITH gone AS (DELETE FROM follows WHERE follower_id = $1 AND followee_id = $2 RETURNING followee_id)
       UPDATE social_counts SET followers = followers - (user_id = $2)::int, following = following - (user_id = $1)::int
       WHERE user_id IN ($1, $2) AND EXISTS (SELECT FROM gone)`,
      [followerId, followeeId],
    );
  }

  async countFollowers(manager: EntityManager, userId: string): Promise<number> {
    const [row] = await manager.query<{ followers: number }[]>(
      'SELECT followers FROM social_counts WHERE user_id = $1',
      [userId],
    );
    return row?.followers ?? 0;
  }

  /** Index: ix_follows_followers, backwards. */
  async followersOf(
    viewerId: string,
    userId: string,
    before: ListPosition,
    limit: number,
  ): Promise<FollowRow[]> {
    return await this.database.query<FollowRow>(
      'users.followers',
      `SELECT ${COLUMNS} FROM follows f JOIN users u ON u.id = f.follower_id JOIN profiles p ON p.user_id = u.id
       WHERE f.followee_id = $2 AND (f.created_at, f.follower_id) < ($3::timestamptz, $4::uuid) AND ${SHOWN}
       ORDER BY f.created_at DESC, f.follower_id DESC LIMIT $5`,
      [viewerId, userId, before.at, before.id, limit],
    );
  }

  /** Index: ix_follows_following, backwards. */
  async followingOf(
    viewerId: string,
    userId: string,
    before: ListPosition,
    limit: number,
  ): Promise<FollowRow[]> {
    return await this.database.query<FollowRow>(
      'users.following',
      `SELECT ${COLUMNS} FROM follows f JOIN users u ON u.id = f.followee_id JOIN profiles p ON p.user_id = u.id
       WHERE f.follower_id = $2 AND (f.created_at, f.followee_id) < ($3::timestamptz, $4::uuid) AND ${SHOWN}
       ORDER BY f.created_at DESC, f.followee_id DESC LIMIT $5`,
      [viewerId, userId, before.at, before.id, limit],
    );
  }
}
