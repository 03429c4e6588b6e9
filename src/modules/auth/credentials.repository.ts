import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';

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
  async findByEmail(email: string): Promise<{ userId: string; passwordHash: string | null } | null> {
    const [row] = await this.database.query<{ id: string; password_hash: string | null }>(
      'credentials.find_by_email',
      `SELECT u.id, c.password_hash FROM users u LEFT JOIN credentials c ON c.user_id = u.id
       WHERE lower(u.email) = lower($1)`,
      [email],
    );
    return row ? { userId: row.id, passwordHash: row.password_hash } : null;
  }

  /**
   * Whether the password is still the one that was compared; stores it under new parameters when `renewed` is given. Its row
   * stays locked until the transaction ends, so that a change of it, which ends sessions, comes before this or after it.
   */
  async confirm(
    manager: EntityManager,
    userId: string,
    compared: string,
    renewed: string | null,
  ): Promise<boolean> {
    if (renewed !== null) return await this.replace(manager, userId, compared, renewed);
    const rows = await manager.query<unknown[]>(
      'SELECT 1 FROM credentials WHERE user_id = $1 AND password_hash = $2 FOR SHARE',
      [userId, compared],
    );
    return rows.length > 0;
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

  async findPasswordHash(userId: string): Promise<string | null> {
    const [row] = await this.database.query<{ password_hash: string }>(
      'credentials.find',
      'SELECT password_hash FROM credentials WHERE user_id = $1',
      [userId],
    );
    return row?.password_hash ?? null;
  }

  /** The same password hashed anew. */
  private async replace(
    manager: EntityManager,
    userId: string,
    compared: string,
    renewed: string,
  ): Promise<boolean> {
    const [, changed] = await manager.query<[unknown[], number]>(
      'UPDATE credentials SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2',
      [userId, compared, renewed],
    );
    return changed > 0;
  }
}
