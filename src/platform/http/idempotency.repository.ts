import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../database/database.js';

/** The caller's key with the hash of the body it came with. */
export interface IdempotencyKey {
  readonly key: string;
  readonly bodyHash: Buffer;
}

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

  /** Keeps the answer of a key that was claimed; returns it as it will be read. */
  async store<T extends object>(manager: EntityManager, scope: Scope, key: string, response: T): Promise<T> {
    const [rows] = await manager.query<[{ response: T }[], number]>(
      'UPDATE idempotency_keys SET response = $4 WHERE user_id = $1 AND operation = $2 AND key = $3 RETURNING response',
      [scope.userId, scope.operation, key, JSON.stringify(response)],
    );
    return rows[0]?.response ?? response;
  }

  /**
   * Forgets at most `limit` keys older than `days`; how many. A client that retries later than that gets a new effect.
   * Index: ix_idempotency_keys_cleanup.
   */
  async forgetOlderThan(days: number, limit: number): Promise<number> {
    const rows = await this.database.query(
      'idempotency.forget',
      `DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM idempotency_keys WHERE created_at < now() - make_interval(days => $1) LIMIT $2))
       RETURNING 1`,
      [days, limit],
    );
    return rows.length;
  }
}
