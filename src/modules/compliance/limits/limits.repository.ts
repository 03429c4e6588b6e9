import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { LimitKind, LimitPeriod } from '../../../platform/config/jurisdiction-rules.js';
import { Database } from '../../../platform/database/database.js';
import type { Limit, LimitEvent, LimitState } from './domain/limit-machine.js';
import type { OwnLimit } from './domain/limit-check.js';

/** What a limit is of. */
export interface LimitKey {
  readonly userId: string;
  readonly kind: LimitKind;
  readonly period: LimitPeriod;
  readonly currency: string;
}

export interface StoredLimit extends Limit, LimitKey {
  readonly id: string;
}

interface LimitRow {
  id: string;
  user_id: string;
  kind: LimitKind;
  period: LimitPeriod;
  currency: string;
  status: LimitState;
  amount: string | null;
  requested_amount: string | null;
  requested_at: Date | null;
  wait_hours: number | null;
}

const COLUMNS =
  'id, user_id, kind, period, currency, status, amount, requested_amount, requested_at, wait_hours';

/** The limits that users set themselves, and what became of them. */
@Injectable()
export class LimitsRepository {
  constructor(private readonly database: Database) {}

  /**
   * Whoever changes a user's limits, or lets money through them, comes one after the other, and looks at what is committed by then.
   * After rows and gates, before accounts of the ledger; who holds it waits for those only (docs/decisions/0012-limits.md).
   */
  async lock(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('SELECT pg_advisory_xact_lock(uuid_hash_extended($1::uuid, 34))', [userId]);
  }

  /** Index: ux_user_limits. */
  async ofUser(userId: string): Promise<StoredLimit[]> {
    const rows = await this.database.query<LimitRow>(
      'limits.of_user',
      `SELECT ${COLUMNS} FROM user_limits WHERE user_id = $1 AND status <> 'unset' ORDER BY currency, kind, period`,
      [userId],
    );
    return rows.map(storedOf);
  }

  /** Those in force in a currency. The user's limits are locked. Index: ux_user_limits. */
  async inForce(manager: EntityManager, userId: string, currency: string): Promise<OwnLimit[]> {
    const rows = await manager.query<{ kind: LimitKind; period: LimitPeriod; amount: string }[]>(
      'SELECT kind, period, amount FROM user_limits WHERE user_id = $1 AND currency = $2 AND amount IS NOT NULL',
      [userId, currency],
    );
    return rows.map(({ kind, period, amount }) => ({ kind, period, amount: BigInt(amount) }));
  }

  /** The user's limits are locked. */
  async findByKey(manager: EntityManager, key: LimitKey): Promise<StoredLimit | null> {
    const [row] = await manager.query<LimitRow[]>(
      `SELECT ${COLUMNS} FROM user_limits WHERE user_id = $1 AND currency = $2 AND kind = $3 AND period = $4`,
      [key.userId, key.currency, key.kind, key.period],
    );
    return row ? storedOf(row) : null;
  }

  /** One of the user's own, which are locked. */
  async find(manager: EntityManager, userId: string, id: string): Promise<StoredLimit | null> {
    const [row] = await manager.query<LimitRow[]>(
      `SELECT ${COLUMNS} FROM user_limits WHERE id = $1 AND user_id = $2 AND status <> 'unset'`,
      [id, userId],
    );
    return row ? storedOf(row) : null;
  }

  /** Writes what a limit has become, and notes it for ever. */
  async save(
    manager: EntityManager,
    limit: StoredLimit,
    change: { id: string; event: LimitEvent; now: Date },
  ): Promise<void> {
    const { id, userId, kind, period, currency, state, amount, request } = limit;
    await manager.query(
      `INSERT INTO user_limits (${COLUMNS}, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
       ON CONFLICT (id) DO UPDATE
       SET status = excluded.status, amount = excluded.amount, requested_amount = excluded.requested_amount,
           requested_at = excluded.requested_at, wait_hours = excluded.wait_hours, changed_at = excluded.changed_at`,
      [
        id,
        userId,
        kind,
        period,
        currency,
        state,
        amount,
        request?.amount ?? null,
        request?.askedAt ?? null,
        request?.waitHours ?? null,
        change.now,
      ],
    );
    await manager.query(
      `INSERT INTO limit_changes (id, limit_id, user_id, event, amount, requested_amount, at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [change.id, id, userId, change.event, amount, request?.amount ?? null, change.now],
    );
  }
}

function storedOf(row: LimitRow): StoredLimit {
  const { id, user_id: userId, kind, period, currency, status: state, requested_at: askedAt } = row;
  return {
    id,
    userId,
    kind,
    period,
    currency,
    state,
    amount: row.amount === null ? null : BigInt(row.amount),
    request:
      askedAt === null
        ? null
        : {
            amount: row.requested_amount === null ? null : BigInt(row.requested_amount),
            askedAt,
            waitHours: row.wait_hours ?? 0,
          },
  };
}
