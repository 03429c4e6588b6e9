import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { Caller } from '../../platform/http/caller.decorator.js';
import type { Role } from '../../platform/security/subject.js';
import type { Proof } from './sign-in.types.js';

export interface SessionRow {
  id: string;
  user_id: string;
  role: Role;
  status: 'active' | 'banned' | 'erased';
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
  | 'erased';

@Injectable()
export class SessionsRepository {
  constructor(private readonly database: Database) {}

  async insert(
    manager: EntityManager,
    session: { id: string; userId: string; proof: Proof; caller: Caller; now: Date; expiresAt: Date },
  ): Promise<void> {
    await manager.query(
      `INSERT INTO sessions (id, user_id, proof, user_agent, address, fingerprint, created_at, last_used_at, expires_at)
       VALUES ($1, $2, $3, $4, nullif($5, '')::inet, $6, $7, $7, $8)`,
      [
        session.id,
        session.userId,
        session.proof,
        session.caller.userAgent,
        session.caller.address,
        session.caller.fingerprint,
        session.now,
        session.expiresAt,
      ],
    );
  }

  async insertRefreshToken(
    manager: EntityManager,
    token: { hash: Buffer; sessionId: string; now: Date; expiresAt: Date },
  ): Promise<void> {
    await manager.query(
      'INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)',
      [token.hash, token.sessionId, token.now, token.expiresAt],
    );
  }

  /** The session if it is live, with its user's role as it is now. */
  async findLive(sessionId: string, now: Date): Promise<SessionRow | null> {
    const [row] = await this.database.query<SessionRow>(
      'sessions.live',
      `SELECT s.id, s.user_id, u.role, u.status FROM sessions s JOIN users u ON u.id = s.user_id
       WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $2`,
      [sessionId, now],
    );
    return row ?? null;
  }

  /** Uses a refresh token up: of those who try at once exactly one gets its session. */
  async useRefreshToken(manager: EntityManager, hash: Buffer, now: Date): Promise<SessionRow | null> {
    const [rows] = await manager.query<[SessionRow[], number]>(
      `UPDATE refresh_tokens t SET used_at = $2 FROM sessions s, users u
       WHERE t.token_hash = $1 AND t.used_at IS NULL AND t.expires_at > $2
         AND s.id = t.session_id AND s.ended_at IS NULL AND s.expires_at > $2 AND u.id = s.user_id
       RETURNING s.id, s.user_id, u.role, u.status`,
      [hash, now],
    );
    return rows[0] ?? null;
  }

  /** The session of a token that was used before, which means that somebody has a copy. */
  async findSessionOfUsedToken(manager: EntityManager, hash: Buffer): Promise<string | null> {
    const [row] = await manager.query<{ session_id: string }[]>(
      'SELECT session_id FROM refresh_tokens WHERE token_hash = $1 AND used_at IS NOT NULL',
      [hash],
    );
    return row?.session_id ?? null;
  }

  async extend(manager: EntityManager, sessionId: string, now: Date, expiresAt: Date): Promise<void> {
    await manager.query('UPDATE sessions SET last_used_at = $2, expires_at = $3 WHERE id = $1', [
      sessionId,
      now,
      expiresAt,
    ]);
  }

  async end(manager: EntityManager, sessionId: string, reason: EndReason, now: Date): Promise<void> {
    await manager.query(
      'UPDATE sessions SET ended_at = $3, end_reason = $2 WHERE id = $1 AND ended_at IS NULL',
      [sessionId, reason, now],
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
   * Forgets at most `limit` refresh tokens that expired more than 30 days ago or whose session ended or expired more than
   * 90 days ago; how many. By the Clock, which said when they expire. Indexes: ix_refresh_tokens_cleanup, and those of
   * forgetSessions with ix_refresh_tokens_session.
   */
  async forgetTokens(now: Date, limit: number): Promise<number> {
    const rows = await this.database.query(
      'refresh_tokens.forget',
      `DELETE FROM refresh_tokens WHERE token_hash = ANY (ARRAY(
         (SELECT token_hash FROM refresh_tokens WHERE expires_at < $2::timestamptz - interval '30 days' LIMIT $1)
         UNION
         (SELECT t.token_hash FROM sessions s JOIN refresh_tokens t ON t.session_id = s.id
          WHERE s.ended_at < $2::timestamptz - interval '90 days' OR s.expires_at < $2::timestamptz - interval '90 days'
          LIMIT $1)
         LIMIT $1))
       RETURNING 1`,
      [limit, now],
    );
    return rows.length;
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
}
