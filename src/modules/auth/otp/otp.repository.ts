import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';

export type OtpPurpose = 'sign_in' | 'change_number';

/** What a code is for: one that was asked for to sign in proves nothing else, and not somebody else's change. */
export interface OtpUse {
  readonly purpose: OtpPurpose;
  readonly numberIndex: Buffer;
  /** Of `change_number`: whose number it is to become. */
  readonly userId: string | null;
}

export interface StoredCode {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

@Injectable()
export class OtpRepository {
  constructor(private readonly database: Database) {}

  /** Until the transaction ends nobody else counts or adds challenges of this number. */
  async lockNumber(manager: EntityManager, numberIndex: Buffer): Promise<void> {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [numberIndex.readBigInt64BE(0).toString()]);
  }

  /** When codes were asked for since then, oldest first. Index: ix_otp_challenges_number. */
  async askedSince(manager: EntityManager, numberIndex: Buffer, since: Date): Promise<Date[]> {
    const rows = await manager.query<{ created_at: Date }[]>(
      'SELECT created_at FROM otp_challenges WHERE number_index = $1 AND created_at > $2 ORDER BY created_at',
      [numberIndex, since],
    );
    return rows.map((row) => row.created_at);
  }

  async insert(
    manager: EntityManager,
    challenge: OtpUse & { id: string; number: Buffer; now: Date },
  ): Promise<void> {
    const { id, purpose, userId, number, numberIndex, now } = challenge;
    await manager.query(
      `INSERT INTO otp_challenges (id, purpose, user_id, number, number_index, created_at)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [id, purpose, userId, number, numberIndex, now],
    );
  }

  /**
   * Stores the code that is about to be sent in place of an earlier one, and gives the encrypted number; null when there is
   * nothing to send any more: sent, used, asked for too long ago, or asked for again since.
   */
  async putCode(
    id: string,
    code: StoredCode,
    times: { askedAfter: Date; expiresAt: Date },
  ): Promise<Buffer | null> {
    const [row] = await this.database.query<{ number: Buffer }>(
      'otp.put_code',
      `UPDATE otp_challenges c SET salt = $2, code_hash = $3, expires_at = $5
       WHERE id = $1 AND sent_at IS NULL AND used_at IS NULL AND created_at > $4
         AND NOT EXISTS (SELECT FROM otp_challenges later
           WHERE later.number_index = c.number_index AND later.purpose = c.purpose
             AND later.user_id IS NOT DISTINCT FROM c.user_id AND (later.created_at, later.id) > (c.created_at, c.id))
       RETURNING number`,
      [id, code.salt, code.hash, times.askedAfter, times.expiresAt],
    );
    return row?.number ?? null;
  }

  async markSent(id: string, now: Date): Promise<void> {
    await this.database.query('otp.mark_sent', 'UPDATE otp_challenges SET sent_at = $2 WHERE id = $1', [
      id,
      now,
    ]);
  }

  /**
   * Takes one try at the newest code of this use, and gives what the code must match; null when there is none alive or its
   * tries are used up. The row is locked until the transaction ends: of those who guess at once each counts.
   */
  async takeTry(
    manager: EntityManager,
    use: OtpUse,
    limits: { now: Date; tries: number },
  ): Promise<(StoredCode & { id: string }) | null> {
    const [rows] = await manager.query<[{ id: string; salt: Buffer; code_hash: Buffer }[], number]>(
      `UPDATE otp_challenges SET tries = tries + 1
       WHERE id = (SELECT id FROM otp_challenges
                   WHERE number_index = $1 AND purpose = $2 AND user_id IS NOT DISTINCT FROM $3
                   ORDER BY created_at DESC, id DESC LIMIT 1)
         AND code_hash IS NOT NULL AND used_at IS NULL AND expires_at > $4 AND tries < $5
       RETURNING id, salt, code_hash`,
      [use.numberIndex, use.purpose, use.userId, limits.now, limits.tries],
    );
    const [row] = rows;
    return row ? { id: row.id, salt: row.salt, hash: row.code_hash } : null;
  }

  async use(manager: EntityManager, id: string, now: Date): Promise<void> {
    await manager.query('UPDATE otp_challenges SET used_at = $2 WHERE id = $1', [id, now]);
  }

  /** Forgets at most `limit` challenges asked for before then; how many. Index: ix_otp_challenges_cleanup. */
  async forget(before: Date, limit: number): Promise<number> {
    const rows = await this.database.query(
      'otp.forget',
      `DELETE FROM otp_challenges WHERE id = ANY (ARRAY(
         SELECT id FROM otp_challenges WHERE created_at < $1 LIMIT $2))
       RETURNING 1`,
      [before, limit],
    );
    return rows.length;
  }
}
