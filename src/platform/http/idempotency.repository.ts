import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../database/database.js';
import type { IdempotencyKey } from './idempotency.js';

interface Scope {
  userId: string;
  operation: string;
  status: number;
  now: Date;
}

interface StoredAnswer {
  bodyHash: Buffer;
  response: unknown;
  createdAt: Date;
}

@Injectable()
export class IdempotencyRepository {
  constructor(private readonly database: Database) {}

  /** Takes the key, or waits for the transaction that holds it and returns false once that has committed. */
  async claim(manager: EntityManager, scope: Scope, key: IdempotencyKey): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `INSERT INTO idempotency_keys (user_id, operation, key, body_hash, status, response, created_at)
       VALUES ($1, $2, $3, $4, $5, 'null', $6) ON CONFLICT DO NOTHING RETURNING 1`,
      [scope.userId, scope.operation, key.key, key.bodyHash, scope.status, scope.now],
    );
    return rows.length > 0;
  }

  async get(manager: EntityManager, scope: Scope, key: string): Promise<StoredAnswer> {
    const [row] = await manager.query<{ body_hash: Buffer; response: unknown; created_at: Date }[]>(
      'SELECT body_hash, response, created_at FROM idempotency_keys WHERE user_id = $1 AND operation = $2 AND key = $3',
      [scope.userId, scope.operation, key],
    );
    if (!row) throw new Error('An idempotency key vanished while it was waited for');
    return { bodyHash: row.body_hash, response: row.response, createdAt: row.created_at };
  }

  async store(manager: EntityManager, scope: Scope, key: string, response: object): Promise<void> {
    await manager.query(
      'UPDATE idempotency_keys SET response = $4 WHERE user_id = $1 AND operation = $2 AND key = $3',
      [scope.userId, scope.operation, key, JSON.stringify(response)],
    );
  }

  /** Forgets keys older than `days`. A client that retries later than that gets a new effect. */
  async forgetOlderThan(days: number): Promise<void> {
    await this.database.query(
      'idempotency.forget',
      'DELETE FROM idempotency_keys WHERE created_at < clock_timestamp() - make_interval(days => $1)',
      [days],
    );
  }
}
