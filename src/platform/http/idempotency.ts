import { createHash } from 'node:crypto';
import { createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import type { EntityManager } from 'typeorm';
import { Effect } from './answers.js';
import { httpErrors } from './http.errors.js';
import { type IdempotencyKey, IdempotencyRepository } from './idempotency.repository.js';

export type { IdempotencyKey };

const KEY = /^[\x21-\x7e]{1,255}$/;

/** Reads the `Idempotency-Key` header; the operation is refused without one. */
export const Idempotency = createParamDecorator((_: unknown, context: ExecutionContext): IdempotencyKey => {
  const request = context.switchToHttp().getRequest<Request>();
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string' || !KEY.test(key))
    throw httpErrors.IDEMPOTENCY_KEY_REQUIRED({ header: 'Idempotency-Key' });
  return { key, bodyHash: hashBody(request.body) };
});

/** SHA-256 of the body with its properties sorted, so that their order does not matter. */
export function hashBody(body: unknown): Buffer {
  return createHash('sha256').update(canonical(body)).digest();
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/**
 * Idempotency for operations that are a transaction of the application's (`POST /bets` does the same inside its SQL
 * function). The key is unique per user and operation and is committed with the effect; a duplicate that runs at the
 * same time waits for the first and answers what it answered. A refusal rolls the key back, so it may be tried again.
 */
@Injectable()
export class IdempotencyService {
  constructor(private readonly repository: IdempotencyRepository) {}

  /** Runs `work` once for the key, inside the caller's transaction. `now` becomes the answer's timestamp. */
  async once<T extends object>(
    manager: EntityManager,
    scope: { userId: string; operation: string; status: number; now: Date },
    key: IdempotencyKey,
    work: () => Promise<T>,
  ): Promise<Effect<T>> {
    const claimed = await this.repository.claim(manager, scope, key);
    if (!claimed) {
      const stored = await this.repository.get(manager, scope, key.key);
      if (!stored.bodyHash.equals(key.bodyHash))
        throw httpErrors.IDEMPOTENCY_KEY_REUSED({ header: 'Idempotency-Key' });
      return new Effect(stored.response as T, stored.createdAt, true);
    }
    // As it is stored, which is how a replay will read it: the order of the properties is the database's.
    const data = await this.repository.store(manager, scope, key.key, await work());
    return new Effect(data, scope.now, false);
  }
}
