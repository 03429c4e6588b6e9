import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { Role } from '../../../platform/security/subject.js';

/** A refresh token to be exchanged for the next. */
export interface Exchange {
  hash: Buffer;
  nextHash: Buffer;
  /** Thumbprint of the key that was shown, which binds the session if nothing has yet. */
  jkt: string | null;
  /** Seconds without use after which nothing is exchanged any more, where idle sessions end. */
  idleSeconds: number;
  /** Idle sessions end, whatever the places say where they were used. */
  idleEnds: boolean;
  now: Date;
  expiresAt: Date;
}

export interface ExchangedRow {
  id: string;
  user_id: string;
  role: Role;
  /** What the session was bound to before. */
  jkt: string | null;
}

/** A refresh token that was not exchanged, and what tells why. */
export interface RefusedRow {
  session_id: string;
  user_id: string;
  live: boolean;
  used: boolean;
  jkt: string | null;
  last_used_at: Date;
  /** A place where it was used asks that it ends once it is idle. */
  ends_idle: boolean;
  /** The answer that was given for it, while it may be told again. */
  sealed: Buffer | null;
}

/**
 * Uses a token up, lets its session live on and puts the next token in its place: one statement, one round trip. Of those
 * who try at once the first one's row lock lets exactly one through: the others find the token used when they have waited.
 * A session that ends meanwhile stays ended, and its new token is worth nothing. Indexes: primary keys.
 */
const EXCHANGE = `
WITH used AS (
  UPDATE refresh_tokens t SET used_at = $4
  FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN session_settings i ON i.user_id = s.user_id
  WHERE t.token_hash = $1 AND t.used_at IS NULL AND t.expires_at > $4
    AND s.id = t.session_id AND s.ended_at IS NULL AND s.expires_at > $4 AND u.status = 'active'
    AND (s.jkt IS NULL OR s.jkt = $3)
    AND (NOT ($7 OR s.ends_idle) OR s.last_used_at >= $4::timestamptz - least(i.idle_seconds, $6::integer) * interval '1 second' - interval '1 minute')
  RETURNING s.id, s.user_id, u.role, s.jkt),
extended AS (
  UPDATE sessions s SET expires_at = $5, jkt = coalesce(s.jkt, $3) FROM used WHERE s.id = used.id),
issued AS (
  INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at) SELECT $2, id, $4, $5 FROM used)
SELECT id, user_id, role, jkt FROM used`;

/** Refresh tokens, stored as SHA-256, and the last answers of sessions that are bound to a key. */
@Injectable()
export class RefreshTokensRepository {
  constructor(private readonly database: Database) {}

  /** A transaction of its own. Null when the token is refused. */
  async exchange(exchange: Exchange): Promise<ExchangedRow | null> {
    const [row] = await this.database.query<ExchangedRow>(
      'refresh_tokens.exchange',
      EXCHANGE,
      values(exchange),
    );
    return row ?? null;
  }

  /** The same in the caller's transaction. */
  async exchangeIn(manager: EntityManager, exchange: Exchange): Promise<ExchangedRow | null> {
    const [row] = await manager.query<ExchangedRow[]>(EXCHANGE, values(exchange));
    return row ?? null;
  }

  /** In place of the answer before: a client that asked anew has read that one. */
  async keepAnswer(
    manager: EntityManager,
    answer: { sessionId: string; hash: Buffer; sealed: Buffer; now: Date },
  ): Promise<void> {
    await manager.query(
      `INSERT INTO refresh_answers (session_id, token_hash, sealed, answered_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (session_id) DO UPDATE SET token_hash = excluded.token_hash, sealed = excluded.sealed,
         answered_at = excluded.answered_at`,
      [answer.sessionId, answer.hash, answer.sealed, answer.now],
    );
  }

  async findRefused(hash: Buffer, now: Date, answeredAfter: Date): Promise<RefusedRow | null> {
    const [row] = await this.database.query<RefusedRow>(
      'refresh_tokens.refused',
      `SELECT t.session_id, s.user_id, s.ended_at IS NULL AND s.expires_at > $2 AND t.expires_at > $2 AS live,
              t.used_at IS NOT NULL AS used, s.jkt, s.last_used_at, s.ends_idle, a.sealed
       FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
       LEFT JOIN refresh_answers a ON a.session_id = s.id AND a.token_hash = t.token_hash AND a.answered_at > $3
       WHERE t.token_hash = $1`,
      [hash, now, answeredAfter],
    );
    return row ?? null;
  }

  /** Forgets at most `limit` answers that nobody may ask for any more; how many. The table holds no others for long. */
  async forgetAnswers(answeredBefore: Date, limit: number): Promise<number> {
    const rows = await this.database.query(
      'refresh_answers.forget',
      `DELETE FROM refresh_answers WHERE session_id = ANY (ARRAY(
         SELECT session_id FROM refresh_answers WHERE answered_at < $2 LIMIT $1))
       RETURNING 1`,
      [limit, answeredBefore],
    );
    return rows.length;
  }

  /**
   * Forgets at most `limit` refresh tokens that expired more than 30 days ago or whose session ended or expired more than
   * 90 days ago; how many. By the Clock, which said when they expire. Indexes: ix_refresh_tokens_cleanup, and those of
   * SessionsRepository.forgetSessions with ix_refresh_tokens_session.
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
}

function values({ hash, nextHash, jkt, now, expiresAt, idleSeconds, idleEnds }: Exchange): unknown[] {
  return [hash, nextHash, jkt, now, expiresAt, idleSeconds, idleEnds];
}
