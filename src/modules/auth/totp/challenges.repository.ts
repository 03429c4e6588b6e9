import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { Proof } from '../sign-in.types.js';

export interface ChallengeRow {
  user_id: string;
  proof: Proof;
}

/** A challenge that may still be answered; one of a password that was changed since may not. */
const OPEN = `c.token_hash = $1 AND c.used_at IS NULL AND c.expires_at > $2 AND c.tries < $3::bigint
  AND NOT EXISTS (SELECT FROM credentials p WHERE p.user_id = c.user_id AND p.changed_at > c.created_at)`;

@Injectable()
export class ChallengesRepository {
  constructor(private readonly database: Database) {}

  async findOpen(hash: Buffer, now: Date, tries: number): Promise<ChallengeRow | null> {
    const [row] = await this.database.query<ChallengeRow>(
      'challenges.open',
      `SELECT c.user_id, c.proof FROM second_factor_challenges c WHERE ${OPEN}`,
      [hash, now, tries],
    );
    return row ?? null;
  }

  /** Takes one of its tries, before the answer is looked at; of any number at once no more are let through than it has. */
  async takeTry(hash: Buffer, now: Date, tries: number): Promise<boolean> {
    const rows = await this.database.query(
      'challenges.try',
      `UPDATE second_factor_challenges c SET tries = tries + 1 WHERE ${OPEN} RETURNING 1`,
      [hash, now, tries],
    );
    return rows.length > 0;
  }

  /** Closes it, answered; false when another has been there first, or it is no longer good. */
  async close(manager: EntityManager, hash: Buffer, now: Date): Promise<boolean> {
    const [rows] = await manager.query<[unknown[], number]>(
      `UPDATE second_factor_challenges c SET used_at = $2 WHERE ${OPEN} RETURNING 1`,
      [hash, now, Number.MAX_SAFE_INTEGER],
    );
    return rows.length > 0;
  }

  /** Index: ix_second_factor_challenges_user. */
  async endAll(manager: EntityManager, userId: string, now: Date): Promise<void> {
    await manager.query(
      'UPDATE second_factor_challenges SET used_at = $2 WHERE user_id = $1 AND used_at IS NULL',
      [userId, now],
    );
  }

  /** At most `limit` that expired before; how many. Index: ix_second_factor_challenges_cleanup. */
  async deleteExpired(limit: number, before: Date): Promise<number> {
    const rows = await this.database.query(
      'challenges.forget',
      `DELETE FROM second_factor_challenges WHERE token_hash = ANY (ARRAY(
         SELECT token_hash FROM second_factor_challenges WHERE expires_at < $2 LIMIT $1)) RETURNING 1`,
      [limit, before],
    );
    return rows.length;
  }
}
