import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { PlaySession, SessionRules } from '../../compliance/reality-checks/play-sessions.port.js';

const PLAY_SESSION = `
  s.id, s.user_id AS "userId", s.created_at AS "beganAt", s.last_used_at AS "lastUsedAt",
  coalesce(s.checked_at, s.created_at) AS "checkedAt",
  CASE WHEN s.check_minutes IS NOT NULL THEN
    least(s.check_minutes, (SELECT i.check_minutes FROM session_settings i WHERE i.user_id = s.user_id)) END AS "checkMinutes"`;

/** Reality checks of sessions: how often, and when the last was acknowledged. */
@Injectable()
export class PlaySessionsRepository {
  constructor(private readonly database: Database) {}

  /** Index: primary keys. */
  async find(sessionId: string, now: Date): Promise<PlaySession | null> {
    const [row] = await this.database.query<PlaySession>(
      'sessions.play',
      `SELECT ${PLAY_SESSION} FROM sessions s WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $2`,
      [sessionId, now],
    );
    return row ?? null;
  }

  async lock(manager: EntityManager, sessionId: string, now: Date): Promise<PlaySession | null> {
    const [row] = await manager.query<PlaySession[]>(
      `SELECT ${PLAY_SESSION} FROM sessions s WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $2
       FOR NO KEY UPDATE`,
      [sessionId, now],
    );
    return row ?? null;
  }

  async follow(
    manager: EntityManager,
    sessionId: string,
    { checkMinutes, endsIdle, zone }: SessionRules,
    now: Date,
  ): Promise<PlaySession | null> {
    const [[row]] = await manager.query<[PlaySession[], number]>(
      `UPDATE sessions s SET check_minutes = least(s.check_minutes, $2), ends_idle = s.ends_idle OR $3,
         zone = coalesce(s.zone, $5)
       WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $4 RETURNING ${PLAY_SESSION}`,
      [sessionId, checkMinutes, endsIdle, now, zone],
    );
    return row ?? null;
  }

  /** Index: ix_sessions_user. */
  async zonesOf(
    manager: EntityManager,
    userIds: readonly string[],
  ): Promise<{ user_id: string; zone: string }[]> {
    return await manager.query(
      `SELECT DISTINCT ON (user_id) user_id, zone FROM sessions WHERE user_id = ANY ($1::uuid[]) AND zone IS NOT NULL
       ORDER BY user_id, id DESC`,
      [userIds],
    );
  }

  async noteCheck(manager: EntityManager, sessionId: string, at: Date): Promise<void> {
    await manager.query(
      'UPDATE sessions SET checked_at = greatest(checked_at, $2) WHERE id = $1 AND ended_at IS NULL',
      [sessionId, at],
    );
  }

  async findMinutes(userId: string): Promise<number | null> {
    const [row] = await this.database.query<{ check_minutes: number | null }>(
      'session_settings.check_minutes',
      'SELECT check_minutes FROM session_settings WHERE user_id = $1',
      [userId],
    );
    return row?.check_minutes ?? null;
  }

  async chooseMinutes(manager: EntityManager, userId: string, minutes: number): Promise<void> {
    await manager.query(
      `INSERT INTO session_settings (user_id, check_minutes) VALUES ($1, $2)
       ON CONFLICT (user_id) DO UPDATE SET check_minutes = excluded.check_minutes`,
      [userId, minutes],
    );
  }

  /** Locked in the order of their ids. Index: ix_sessions_user_live. */
  async lockAll(manager: EntityManager, userId: string, now: Date): Promise<PlaySession[]> {
    return await manager.query<PlaySession[]>(
      `SELECT ${PLAY_SESSION} FROM sessions s WHERE s.user_id = $1 AND s.ended_at IS NULL AND s.expires_at > $2
       ORDER BY s.id FOR NO KEY UPDATE`,
      [userId, now],
    );
  }
}
