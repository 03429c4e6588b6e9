import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';

/** Whoever holds a document as theirs; of who is erased no number is kept. */
const HOLDS = "number_index = $1 AND user_id <> $2 AND status IN ('verified', 'expired')";

/** In which accounts one document was shown. Index of all: ix_kyc_cases_number. */
@Injectable()
export class KycHoldersRepository {
  constructor(private readonly database: Database) {}

  /**
   * Until the commit nobody else is verified by this document, nor looks for who was. The first lock of whoever takes it: what holds others
   * never waits for it.
   */
  async lock(manager: EntityManager, numberIndex: Buffer): Promise<void> {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [numberIndex.readBigInt64BE(0).toString()]);
  }

  /** Other users who have shown it, whatever came of it. */
  async othersWith(numberIndex: Buffer, userId: string): Promise<number> {
    const [row] = await this.database.query<{ n: number }>(
      'kyc.others_with',
      'SELECT count(DISTINCT user_id)::int AS n FROM kyc_cases WHERE number_index = $1 AND user_id <> $2',
      [numberIndex, userId],
    );
    return row?.n ?? 0;
  }

  /** Other users who are, or were until it was over, verified by it. */
  async othersVerified(manager: EntityManager, numberIndex: Buffer, userId: string): Promise<string[]> {
    const rows = await manager.query<{ user_id: string }[]>(
      `SELECT DISTINCT user_id FROM kyc_cases WHERE ${HOLDS} ORDER BY user_id`,
      [numberIndex, userId],
    );
    return rows.map(({ user_id: id }) => id);
  }

  /** The longest ban of any of them now. */
  async banOfOthers(
    manager: EntityManager,
    numberIndex: Buffer,
    userId: string,
    now: Date,
  ): Promise<{ until: Date | null } | null> {
    const [row] = await manager.query<{ until: Date | null }[]>(
      `SELECT u.banned_until AS until FROM users u
       WHERE u.id IN (SELECT user_id FROM kyc_cases WHERE ${HOLDS})
         AND u.status = 'banned' AND (u.banned_until IS NULL OR u.banned_until > $3)
       ORDER BY u.banned_until DESC NULLS FIRST LIMIT 1`,
      [numberIndex, userId, now],
    );
    return row ?? null;
  }
}
