import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { PersonDto } from '../dto/person.dto.js';
import type { ListPosition } from './list-position.js';

export type BlockRow = PersonDto & { at: Date };

const COLUMNS = `u.id, u.handle, u.display_name AS "displayName", p.avatar_url AS "avatarUrl"`;

/** Blocks and mutes: whom a user does not want to meet, or to hear of. */
@Injectable()
export class BlocksRepository {
  constructor(private readonly database: Database) {}

  async block(manager: EntityManager, blockerId: string, blockedId: string, at: Date): Promise<void> {
    await manager.query(
      'INSERT INTO blocks (blocker_id, blocked_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      [blockerId, blockedId, at],
    );
  }

  async unblock(manager: EntityManager, blockerId: string, blockedId: string): Promise<void> {
    await manager.query('DELETE FROM blocks WHERE blocker_id = $1 AND blocked_id = $2', [
      blockerId,
      blockedId,
    ]);
  }

  async mute(manager: EntityManager, muterId: string, mutedId: string, at: Date): Promise<void> {
    await manager.query(
      'INSERT INTO mutes (muter_id, muted_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      [muterId, mutedId, at],
    );
  }

  async unmute(manager: EntityManager, muterId: string, mutedId: string): Promise<void> {
    await manager.query('DELETE FROM mutes WHERE muter_id = $1 AND muted_id = $2', [muterId, mutedId]);
  }

  /** Those who were erased are left out. Index: ix_blocks_list, backwards. */
  async blockedBy(userId: string, before: ListPosition, limit: number): Promise<BlockRow[]> {
    return await this.database.query<BlockRow>(
      'users.blocks',
      `SELECT ${COLUMNS}, b.created_at AS at
       FROM blocks b JOIN users u ON u.id = b.blocked_id JOIN profiles p ON p.user_id = u.id
       WHERE b.blocker_id = $1 AND (b.created_at, b.blocked_id) < ($2::timestamptz, $3::uuid) AND u.status <> 'erased'
       ORDER BY b.created_at DESC, b.blocked_id DESC LIMIT $4`,
      [userId, before.at, before.id, limit],
    );
  }

  /** Those who were erased, or blocked either way, are left out. Index: ix_mutes_list, backwards. */
  async mutedBy(userId: string, before: ListPosition, limit: number): Promise<BlockRow[]> {
    return await this.database.query<BlockRow>(
      'users.mutes',
      `SELECT ${COLUMNS}, m.created_at AS at
       FROM mutes m JOIN users u ON u.id = m.muted_id JOIN profiles p ON p.user_id = u.id
       WHERE m.muter_id = $1 AND (m.created_at, m.muted_id) < ($2::timestamptz, $3::uuid) AND u.status <> 'erased'
         AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = $1 AND b.blocked_id = u.id)
         AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = u.id AND b.blocked_id = $1)
       ORDER BY m.created_at DESC, m.muted_id DESC LIMIT $4`,
      [userId, before.at, before.id, limit],
    );
  }
}
