import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';

interface FoundAccount {
  userId: string;
  passwordHash: string | null;
  /** Of its telephone number. */
  numberIndex: Buffer | null;
}

/** Passwords, as argon2id hashes. */
@Injectable()
export class CredentialsRepository {
  constructor(private readonly database: Database) {}

  async insert(manager: EntityManager, userId: string, hash: string, now: Date): Promise<void> {
    await manager.query('INSERT INTO credentials (user_id, password_hash, changed_at) VALUES ($1, $2, $3)', [
      userId,
      hash,
      now,
    ]);
  }

  /** An account by its email; one statement, whether there is one or not. Index: ux_users_email. */
  async findByEmail(email: string): Promise<FoundAccount | null> {
    const [row] = await this.database.query<{
      id: string;
      password_hash: string | null;
      number_index: Buffer | null;
    }>(
      'credentials.find_by_email',
      `SELECT u.id, c.password_hash, n.number_index FROM users u
       LEFT JOIN credentials c ON c.user_id = u.id LEFT JOIN user_phones n ON n.user_id = u.id
       WHERE lower(u.email) = lower($1)`,
      [email],
    );
    return row ? { userId: row.id, passwordHash: row.password_hash, numberIndex: row.number_index } : null;
  }

  /** Sets another password in place of the one that was compared; false when that has changed meanwhile. */
  async change(
    manager: EntityManager,
    userId: string,
    compared: string,
    hash: string,
    now: Date,
  ): Promise<boolean> {
    const [, changed] = await manager.query<[unknown[], number]>(
      'UPDATE credentials SET password_hash = $3, changed_at = $4 WHERE user_id = $1 AND password_hash = $2',
      [userId, compared, hash, now],
    );
    return changed > 0;
  }

  /** Sets the password whatever it was, also of an account that had none. */
  async set(manager: EntityManager, userId: string, hash: string, now: Date): Promise<void> {
    await manager.query(
      `INSERT INTO credentials (user_id, password_hash, changed_at) VALUES ($1, $2, $3)
       ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at`,
      [userId, hash, now],
    );
  }

  /**
   * When the password became another one than the account was opened with; null when it never did, or there is none. An
   * account opened without one has none for a minute at least.
   */
  async changedAt(manager: EntityManager, userId: string): Promise<Date | null> {
    const [row] = await manager.query<{ changed_at: Date }[]>(
      `SELECT c.changed_at FROM credentials c JOIN users u ON u.id = c.user_id
       WHERE c.user_id = $1 AND c.changed_at > u.created_at + interval '1 minute'`,
      [userId],
    );
    return row?.changed_at ?? null;
  }

  async findPasswordHash(userId: string): Promise<string | null> {
    const [row] = await this.database.query<{ password_hash: string }>(
      'credentials.find',
      'SELECT password_hash FROM credentials WHERE user_id = $1',
      [userId],
    );
    return row?.password_hash ?? null;
  }
}
