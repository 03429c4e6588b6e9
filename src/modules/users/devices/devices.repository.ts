import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { Platform } from './dto/devices.dto.js';

export interface DeviceRow {
  id: string;
  platform: Platform;
  app_version: string | null;
  locale: string | null;
  registered_at: Date;
}

export interface NewDevice {
  id: string;
  userId: string;
  sessionId: string;
  platform: Platform;
  token: string;
  tokenHash: Buffer;
  appVersion: string | null;
  locale: string | null;
  now: Date;
}

const COLUMNS = 'id, platform, app_version, locale, registered_at';

@Injectable()
export class DevicesRepository {
  constructor(private readonly database: Database) {}

  /** Of those who register devices of one user at once, one after the other. */
  async lockUser(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [userId]);
  }

  /** A token that somebody had before goes over to this user, under a new id: the old one tells of another's device. */
  async upsert(manager: EntityManager, device: NewDevice): Promise<DeviceRow> {
    const rows = await manager.query<DeviceRow[]>(
      `INSERT INTO devices AS d (id, user_id, session_id, platform, token, token_hash, app_version, locale, created_at,
                                 registered_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
       ON CONFLICT (token_hash) DO UPDATE SET
         id = CASE WHEN d.user_id = excluded.user_id THEN d.id ELSE excluded.id END,
         created_at = CASE WHEN d.user_id = excluded.user_id THEN d.created_at ELSE excluded.created_at END,
         user_id = excluded.user_id, session_id = excluded.session_id, platform = excluded.platform,
         app_version = excluded.app_version, locale = excluded.locale, registered_at = excluded.registered_at
       RETURNING ${COLUMNS}`,
      [
        device.id,
        device.userId,
        device.sessionId,
        device.platform,
        device.token,
        device.tokenHash,
        device.appVersion,
        device.locale,
        device.now,
      ],
    );
    const [row] = rows;
    if (!row) throw new Error('a device was not stored');
    return row;
  }

  /** Keeps the devices registered last. Index: ix_devices_user. */
  async keepNewest(manager: EntityManager, userId: string, count: number): Promise<void> {
    await manager.query(
      `DELETE FROM devices WHERE user_id = $1 AND id NOT IN (
         SELECT id FROM devices WHERE user_id = $1 ORDER BY registered_at DESC, id DESC LIMIT $2)`,
      [userId, count],
    );
  }

  async ofUser(userId: string): Promise<DeviceRow[]> {
    return await this.database.query<DeviceRow>(
      'devices.of_user',
      `SELECT ${COLUMNS} FROM devices WHERE user_id = $1 ORDER BY registered_at DESC, id DESC`,
      [userId],
    );
  }

  async remove(manager: EntityManager, userId: string, id: string): Promise<boolean> {
    const [, removed] = await manager.query<[unknown[], number]>(
      'DELETE FROM devices WHERE id = $1 AND user_id = $2',
      [id, userId],
    );
    return removed > 0;
  }

  /** Forgets at most `limit` devices not registered since then; how many. Index: ix_devices_cleanup. */
  async forget(before: Date, limit: number): Promise<number> {
    const rows = await this.database.query(
      'devices.forget',
      `DELETE FROM devices WHERE id = ANY (ARRAY(SELECT id FROM devices WHERE registered_at < $2 LIMIT $1)) RETURNING 1`,
      [limit, before],
    );
    return rows.length;
  }

  /** Index: ix_devices_session. */
  async removeOfSessions(manager: EntityManager, sessionIds: readonly string[]): Promise<void> {
    await manager.query('DELETE FROM devices WHERE session_id = ANY ($1)', [sessionIds]);
  }
}
