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
  /** SHA-256 of what who asked was answered. */
  readonly secretHash: Buffer;
}

export interface Asked {
  readonly at: Date;
  readonly knownDevice: boolean;
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

  /** The codes asked for since then, oldest first. Index: ix_otp_challenges_number. */
  async askedSince(
    manager: EntityManager,
    numberIndex: Buffer,
    purpose: OtpPurpose,
    since: Date,
  ): Promise<Asked[]> {
    return await manager.query<Asked[]>(
      `SELECT created_at AS at, known_device AS "knownDevice" FROM otp_challenges
       WHERE number_index = $1 AND purpose = $2 AND created_at > $3 ORDER BY created_at`,
      [numberIndex, purpose, since],
    );
  }

  /** Counts a message in its hour, unless there were `limit`; whether it was counted. The row is locked until the end. */
  async countMessage(manager: EntityManager, hour: Date, limit: number): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `INSERT INTO otp_hours (hour, messages) VALUES ($1, 1)
       ON CONFLICT (hour) DO UPDATE SET messages = otp_hours.messages + 1 WHERE otp_hours.messages < $2
       RETURNING 1`,
      [hour, limit],
    );
    return rows.length > 0;
  }

  async insert(
    manager: EntityManager,
    challenge: OtpUse & { id: string; number: Buffer; knownDevice: boolean; now: Date },
  ): Promise<void> {
    const { id, purpose, userId, number, numberIndex, secretHash, knownDevice, now } = challenge;
    await manager.query(
      `INSERT INTO otp_challenges (id, purpose, user_id, number, number_index, secret_hash, known_device, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [id, purpose, userId, number, numberIndex, secretHash, knownDevice, now],
    );
  }

  /**
   * Stores the code that is about to be sent in place of an earlier one, and gives the encrypted number; null when there is
   * nothing to send: sent, used, asked for too long ago, or to sign in to an account by strangers to it who have had
   * `strangersShare` in the hour before.
   */
  async putCode(
    id: string,
    code: StoredCode,
    times: { askedAfter: Date; expiresAt: Date },
    strangersShare: number,
  ): Promise<Buffer | null> {
    const [row] = await this.database.query<{ number: Buffer }>(
      'otp.put_code',
      `UPDATE otp_challenges c SET salt = $2, code_hash = $3, expires_at = $5
       WHERE id = $1 AND sent_at IS NULL AND used_at IS NULL AND created_at > $4
         AND (known_device OR purpose <> 'sign_in'
           OR NOT EXISTS (SELECT FROM user_phones p WHERE p.number_index = c.number_index)
           OR (SELECT count(*) FROM otp_challenges earlier
               WHERE earlier.number_index = c.number_index AND earlier.purpose = c.purpose
                 AND NOT earlier.known_device AND earlier.created_at > c.created_at - interval '1 hour'
                 AND (earlier.created_at, earlier.id) < (c.created_at, c.id)) < $6)
       RETURNING number`,
      [id, code.salt, code.hash, times.askedAfter, times.expiresAt, strangersShare],
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
   * Takes one try at the code of this use, and gives what it must match; null when there is none alive, or the tries at it
   * or at the number's codes since `since` are used up. Behind `lockNumber`: of those who guess at once each counts.
   * Index: ux_otp_challenges_secret.
   */
  async takeTry(
    manager: EntityManager,
    use: OtpUse,
    limits: { now: Date; tries: number; since: Date; guesses: number },
  ): Promise<(StoredCode & { id: string }) | null> {
    const [rows] = await manager.query<[{ id: string; salt: Buffer; code_hash: Buffer }[], number]>(
      `UPDATE otp_challenges SET tries = tries + 1
       WHERE secret_hash = $1 AND number_index = $2 AND purpose = $3 AND user_id IS NOT DISTINCT FROM $4
         AND code_hash IS NOT NULL AND used_at IS NULL AND expires_at > $5 AND tries < $6
         AND (known_device OR (SELECT coalesce(sum(o.tries), 0) FROM otp_challenges o
                               WHERE o.number_index = $2 AND o.purpose = $3 AND NOT o.known_device
                                 AND o.created_at > $7) < $8)
       RETURNING id, salt, code_hash`,
      [
        use.secretHash,
        use.numberIndex,
        use.purpose,
        use.userId,
        limits.now,
        limits.tries,
        limits.since,
        limits.guesses,
      ],
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

  async forgetHours(before: Date, limit: number): Promise<number> {
    const rows = await this.database.query(
      'otp.forget_hours',
      `DELETE FROM otp_hours WHERE hour = ANY (ARRAY(SELECT hour FROM otp_hours WHERE hour < $1 LIMIT $2))
       RETURNING 1`,
      [before, limit],
    );
    return rows.length;
  }
}
