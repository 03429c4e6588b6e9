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

  async findPasswordHash(userId: string): Promise<string | null> {
    const [row] = await this.database.query<{ password_hash: string }>(
      'credentials.find',
      'SELECT password_hash FROM credentials WHERE user_id = $1',
      [userId],
    );
    return row?.password_hash ?? null;
  }
}
