import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';

/** One reality check: of a session, since its last one. */
export interface RealityCheck {
  readonly sessionId: string;
  readonly userId: string;
  readonly countsFrom: Date;
  readonly dueAt: Date;
}

/** What was told of reality checks, and what was acknowledged. Index: primary key. */
@Injectable()
export class RealityChecksRepository {
  constructor(private readonly database: Database) {}

  /** True for one caller only, of all processes. */
  async claim({ sessionId, userId, countsFrom, dueAt }: RealityCheck, now: Date): Promise<boolean> {
    const rows = await this.database.query(
      'reality_checks.claim',
      `INSERT INTO reality_checks (session_id, counts_from, user_id, due_at, told_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (session_id, counts_from) DO NOTHING RETURNING 1`,
      [sessionId, countsFrom, userId, dueAt, now],
    );
    return rows.length > 0;
  }

  /** It could not be told: the next one to try may. */
  async giveBack({ sessionId, countsFrom }: RealityCheck): Promise<void> {
    await this.database.query(
      'reality_checks.give_back',
      'DELETE FROM reality_checks WHERE session_id = $1 AND counts_from = $2 AND acknowledged_at IS NULL',
      [sessionId, countsFrom],
    );
  }

  async acknowledge(manager: EntityManager, check: RealityCheck, now: Date): Promise<void> {
    await manager.query(
      `INSERT INTO reality_checks (session_id, counts_from, user_id, due_at, told_at, acknowledged_at)
       VALUES ($1, $2, $3, $4, $5, $5)
       ON CONFLICT (session_id, counts_from) DO UPDATE SET acknowledged_at = excluded.acknowledged_at`,
      [check.sessionId, check.countsFrom, check.userId, check.dueAt, now],
    );
  }
}
