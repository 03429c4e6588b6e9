import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { Role } from '../../platform/security/subject.js';
import { DevicesService } from '../users/devices/devices.service.js';
import { ExportsService } from '../users/privacy/exports.service.js';
import type { Proof } from './sign-in.types.js';

export interface SessionRow {
  id: string;
  user_id: string;
  role: Role;
  status: 'active' | 'banned' | 'erased';
  jkt: string | null;
  last_used_at: Date;
  /** What the user chose; null: as the rules say. */
  idle_seconds: number | null;
  /** YYYY-MM-DD */
  birth_date: string;
  age_verified: boolean;
  checked_at: Date;
  /** The least that a place or the user asks for; null: it was used nowhere. */
  check_minutes: number | null;
  ends_idle: boolean;
}

/** A session as its user sees it. */
export interface SessionListRow {
  id: string;
  device: string | null;
  /** The network of its address: the /24 of IPv4, the /48 of IPv6. */
  network: string | null;
  proof: Proof;
  jkt: string | null;
  created_at: Date;
  last_used_at: Date;
  expires_at: Date;
}

export type EndReason =
  | 'logout'
  | 'refresh_reused'
  | 'banned'
  | 'expired'
  | 'idle'
  | 'ended_by_user'
  | 'password_changed'
  | 'role_changed'
  | 'second_factor_removed'
  | 'erased'
  | 'too_many';

const LIVE = 's.ended_at IS NULL AND s.expires_at > $2';

const LIVE_ROW = `
  SELECT s.id, s.user_id, u.role, u.status, s.jkt, s.last_used_at, i.idle_seconds, u.birth_date::text AS birth_date,
         u.age_verified_at IS NOT NULL AS age_verified, coalesce(s.checked_at, s.created_at) AS checked_at,
         CASE WHEN s.check_minutes IS NOT NULL THEN least(s.check_minutes, i.check_minutes) END AS check_minutes, s.ends_idle
  FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN session_settings i ON i.user_id = s.user_id`;

const networkOf = (address: string) =>
  `network(set_masklen(${address}, CASE family(${address}) WHEN 4 THEN 24 ELSE 48 END))`;

/** Sessions. Whatever ends one ends the devices and the links that were given to it, in the same transaction. */
@Injectable()
export class SessionsRepository {
  constructor(
    private readonly database: Database,
    private readonly devices: DevicesService,
    private readonly exports: ExportsService,
  ) {}

  /** The session if it is live, with its user's role as it is now. Indexes: primary keys. */
  async findLive(sessionId: string, now: Date): Promise<SessionRow | null> {
    const [row] = await this.database.query<SessionRow>(
      'sessions.live',
      `${LIVE_ROW}
       WHERE s.id = $1 AND ${LIVE}`,
      [sessionId, now],
    );
    return row ?? null;
  }

  /** All live sessions of a user, as `findLive` tells them. Index: ix_sessions_user. */
  async findAllLive(userId: string, now: Date): Promise<SessionRow[]> {
    return await this.database.query<SessionRow>(
      'sessions.live_of_user',
      `${LIVE_ROW}
       WHERE s.user_id = $1 AND ${LIVE}`,
      [userId, now],
    );
  }

  /** Live sessions of a user, the latest first, from behind `after`. Index: ix_sessions_user. */
  async list(userId: string, now: Date, after: string | null, limit: number): Promise<SessionListRow[]> {
    return await this.database.query<SessionListRow>(
      'sessions.list',
      `SELECT id, device, proof, jkt, created_at, last_used_at, expires_at,
              text(${networkOf('address')}) AS network
       FROM sessions s WHERE user_id = $1 AND ${LIVE} AND ($3::uuid IS NULL OR id < $3)
       ORDER BY id DESC LIMIT $4`,
      [userId, now, after, limit],
    );
  }

  /** False when there is no such live session, or it is another's. */
  async end(
    manager: EntityManager,
    session: { id: string; userId?: string },
    reason: EndReason,
    now: Date,
  ): Promise<boolean> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      `UPDATE sessions SET ended_at = $3, end_reason = $2
       WHERE id = $1 AND ended_at IS NULL AND ($4::uuid IS NULL OR user_id = $4) RETURNING id`,
      [session.id, reason, now, session.userId ?? null],
    );
    const ids = rows.map(({ id }) => id);
    await this.endWhatHangsOn(manager, ids);
    return ids.length > 0;
  }

  /** Ends all sessions of a user but one; their ids. Rows are locked in the order of their ids. Index: ix_sessions_user_live. */
  async endAll(
    manager: EntityManager,
    userId: string,
    reason: EndReason,
    now: Date,
    except: string | null,
  ): Promise<string[]> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      `UPDATE sessions SET ended_at = $3, end_reason = $2 WHERE id = ANY (ARRAY(
         SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND id IS DISTINCT FROM $4::uuid
         ORDER BY id FOR UPDATE))
       RETURNING id`,
      [userId, reason, now, except],
    );
    const ids = rows.map(({ id }) => id);
    await this.endWhatHangsOn(manager, ids);
    return ids;
  }

  /**
   * Ends all live sessions of a user but the newest; their ids. The caller has locked the user, so that of sign-ins at once
   * each sees what the one before has opened. Index: ix_sessions_user_live.
   */
  async endOldest(manager: EntityManager, userId: string, kept: number, now: Date): Promise<string[]> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      `UPDATE sessions SET ended_at = $2, end_reason = 'too_many' WHERE id = ANY (ARRAY(
         SELECT id FROM sessions WHERE ended_at IS NULL AND id = ANY (ARRAY(
           SELECT id FROM sessions s WHERE user_id = $1 AND ${LIVE} ORDER BY created_at DESC, id DESC OFFSET $3))
         ORDER BY id FOR UPDATE))
       RETURNING id`,
      [userId, now, kept],
    );
    const ids = rows.map(({ id }) => id);
    await this.endWhatHangsOn(manager, ids);
    return ids;
  }

  /** Writes down when sessions were last used. Rows are locked in the order of their ids. */
  async noteActivity(activity: ReadonlyMap<string, Date>): Promise<void> {
    await this.database.query(
      'sessions.activity',
      `WITH used AS (SELECT * FROM unnest($1::uuid[], $2::timestamptz[]) AS u (id, at)),
       held AS (SELECT id FROM sessions WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE)
       UPDATE sessions s SET last_used_at = used.at FROM used JOIN held USING (id)
       WHERE s.id = used.id AND s.last_used_at < used.at`,
      [[...activity.keys()], [...activity.values()]],
    );
  }

  /** The user has proved themselves in it, which is an activity. */
  async noteProof(sessionId: string, now: Date): Promise<void> {
    await this.database.query(
      'sessions.proof',
      'UPDATE sessions SET proved_at = $2, last_used_at = greatest(last_used_at, $2) WHERE id = $1',
      [sessionId, now],
    );
  }

  async findIdleSeconds(userId: string): Promise<number | null> {
    const [row] = await this.database.query<{ idle_seconds: number | null }>(
      'session_settings.find',
      'SELECT idle_seconds FROM session_settings WHERE user_id = $1',
      [userId],
    );
    return row?.idle_seconds ?? null;
  }

  async chooseIdleSeconds(userId: string, seconds: number): Promise<void> {
    await this.database.query(
      'session_settings.choose',
      `INSERT INTO session_settings (user_id, idle_seconds) VALUES ($1, $2)
       ON CONFLICT (user_id) DO UPDATE SET idle_seconds = excluded.idle_seconds`,
      [userId, seconds],
    );
  }

  /** Sessions that somebody ended since then. Index: ix_sessions_ended. */
  async endedSince(since: Date): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      'sessions.ended_since',
      'SELECT id FROM sessions WHERE ended_at >= $1',
      [since],
    );
    return rows.map((row) => row.id);
  }

  /**
   * Forgets at most `limit` sessions that ended or expired more than 90 days ago and have no refresh token left; how many.
   * Indexes: ix_sessions_ended, ix_sessions_cleanup.
   */
  async forgetSessions(now: Date, limit: number): Promise<number> {
    const rows = await this.database.query(
      'sessions.forget',
      `DELETE FROM sessions WHERE id = ANY (ARRAY(
         SELECT id FROM sessions s
         WHERE (ended_at < $2::timestamptz - interval '90 days' OR expires_at < $2::timestamptz - interval '90 days')
           AND NOT EXISTS (SELECT FROM refresh_tokens t WHERE t.session_id = s.id) LIMIT $1))
       RETURNING 1`,
      [limit, now],
    );
    return rows.length;
  }

  private async endWhatHangsOn(manager: EntityManager, ids: readonly string[]): Promise<void> {
    await this.devices.endWithSessions(manager, ids);
    await this.exports.endWithSessions(manager, ids);
  }
}
