import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';

export interface TotpRow {
  secret: Buffer;
  confirmed: boolean;
  last_step: number | null;
}

const COLUMNS = 'secret, confirmed_at IS NOT NULL AS confirmed, last_step::float8 AS last_step';

@Injectable()
export class TotpRepository {
  constructor(private readonly database: Database) {}

  async find(userId: string): Promise<TotpRow | null> {
    const [row] = await this.database.query<TotpRow>(
      'totp.find',
      `SELECT ${COLUMNS} FROM totp WHERE user_id = $1`,
      [userId],
    );
    return row ?? null;
  }

  /** Locks it, so that a sign-in and turning it off do not pass each other. */
  async lock(manager: EntityManager, userId: string): Promise<TotpRow | null> {
    const [row] = await manager.query<TotpRow[]>(
      `SELECT ${COLUMNS} FROM totp WHERE user_id = $1 FOR UPDATE`,
      [userId],
    );
    return row ?? null;
  }

  /** Begins anew, unless one is on already, which false tells. */
  async begin(manager: EntityManager, userId: string, secret: Buffer, now: Date): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `INSERT INTO totp (user_id, secret, created_at) VALUES ($1, $2, $3)
       ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at
       WHERE totp.confirmed_at IS NULL RETURNING 1`,
      [userId, secret, now],
    );
    return rows.length > 0;
  }

  /** Takes a step, once: false when it, or one after it, was taken already. */
  async takeStep(manager: EntityManager, userId: string, step: number): Promise<boolean> {
    const [rows] = await manager.query<[unknown[], number]>(
      'UPDATE totp SET last_step = $2 WHERE user_id = $1 AND last_step < $2 RETURNING 1',
      [userId, step],
    );
    return rows.length > 0;
  }

  async confirm(manager: EntityManager, userId: string, step: number, now: Date): Promise<void> {
    await manager.query('UPDATE totp SET confirmed_at = $3, last_step = $2 WHERE user_id = $1', [
      userId,
      step,
      now,
    ]);
  }

  /** The recovery codes go with it. False when none was on. */
  async remove(manager: EntityManager, userId: string): Promise<boolean> {
    const [rows] = await manager.query<[{ confirmed: boolean }[], number]>(
      'DELETE FROM totp WHERE user_id = $1 RETURNING confirmed_at IS NOT NULL AS confirmed',
      [userId],
    );
    return rows[0]?.confirmed === true;
  }

  async replaceRecoveryCodes(
    manager: EntityManager,
    userId: string,
    hashes: readonly Buffer[],
  ): Promise<void> {
    await manager.query('DELETE FROM totp_recovery_codes WHERE user_id = $1', [userId]);
    await manager.query(
      'INSERT INTO totp_recovery_codes (user_id, code_hash) SELECT $1, unnest($2::bytea[])',
      [userId, hashes],
    );
  }

  /** Uses a recovery code up: of those who send it at once exactly one is told true. */
  async useRecoveryCode(manager: EntityManager, userId: string, hash: Buffer, now: Date): Promise<boolean> {
    const [rows] = await manager.query<[unknown[], number]>(
      `UPDATE totp_recovery_codes SET used_at = $3
       WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL RETURNING 1`,
      [userId, hash, now],
    );
    return rows.length > 0;
  }

  /** Those left. */
  async countRecoveryCodes(manager: EntityManager, userId: string): Promise<number> {
    const [row] = await manager.query<{ left: number }[]>(
      'SELECT count(*)::int AS left FROM totp_recovery_codes WHERE user_id = $1 AND used_at IS NULL',
      [userId],
    );
    return row?.left ?? 0;
  }

  /** Marks a session as one in which the second factor was proved. */
  async markSession(manager: EntityManager, sessionId: string): Promise<void> {
    await manager.query('UPDATE sessions SET second_factor = true WHERE id = $1', [sessionId]);
  }

  /** No session of the user counts as one with a second factor any more. */
  async unmarkSessions(manager: EntityManager, userId: string): Promise<void> {
    await manager.query(
      `UPDATE sessions SET second_factor = false WHERE id = ANY (ARRAY(
         SELECT id FROM sessions WHERE user_id = $1 AND second_factor AND ended_at IS NULL ORDER BY id FOR UPDATE))`,
      [userId],
    );
  }

  /** Whether the second factor was proved in a session, and whether its user has one at all. */
  async standing(sessionId: string): Promise<{ proved: boolean; on: boolean } | null> {
    const [row] = await this.database.query<{ proved: boolean; on: boolean }>(
      'totp.standing',
      `SELECT s.second_factor AS proved,
              EXISTS (SELECT FROM totp t WHERE t.user_id = s.user_id AND t.confirmed_at IS NOT NULL) AS on
       FROM sessions s WHERE s.id = $1`,
      [sessionId],
    );
    return row ?? null;
  }

  /** At most `limit` set-ups that were never confirmed; how many. Few rows: unconfirmed ones are rare. */
  async deleteUnconfirmed(limit: number, before: Date): Promise<number> {
    const rows = await this.database.query(
      'totp.forget',
      `DELETE FROM totp WHERE user_id = ANY (ARRAY(
         SELECT user_id FROM totp WHERE confirmed_at IS NULL AND created_at < $2 LIMIT $1 FOR UPDATE SKIP LOCKED))
       RETURNING 1`,
      [limit, before],
    );
    return rows.length;
  }
}
