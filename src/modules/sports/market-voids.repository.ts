import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';

export interface VoidRequestRow {
  id: string;
  market_id: string;
  requested_by: string;
  requested_at: Date;
  expires_at: Date;
  reason: string;
  bets: number;
}

const COLUMNS = 'id, market_id, requested_by, requested_at, expires_at, reason, bets';

/** Who wants which market voided. The caller holds the market's game, so that two do not decide at once. */
@Injectable()
export class MarketVoidsRepository {
  constructor(private readonly database: Database) {}

  /** What waits for a second person. Index: ux_market_void_requests_pending. */
  async findPending(manager: EntityManager, marketId: string, now: Date): Promise<VoidRequestRow | null> {
    const [row] = await manager.query<VoidRequestRow[]>(
      `SELECT ${COLUMNS} FROM market_void_requests
       WHERE market_id = $1 AND approved_at IS NULL AND expires_at > $2`,
      [marketId, now],
    );
    return row ?? null;
  }

  /** In place of one that has expired. */
  async insert(manager: EntityManager, row: VoidRequestRow): Promise<void> {
    await manager.query(
      `INSERT INTO market_void_requests (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (market_id) WHERE approved_at IS NULL DO UPDATE
         SET id = excluded.id, requested_by = excluded.requested_by, requested_at = excluded.requested_at,
             expires_at = excluded.expires_at, reason = excluded.reason, bets = excluded.bets`,
      [row.id, row.market_id, row.requested_by, row.requested_at, row.expires_at, row.reason, row.bets],
    );
  }

  async approve(manager: EntityManager, id: string, userId: string, now: Date): Promise<void> {
    await manager.query(
      'UPDATE market_void_requests SET approved_by = $2, approved_at = $3 WHERE id = $1 AND approved_at IS NULL',
      [id, userId, now],
    );
  }

  /** What waits, oldest first, up to `limit` after that id. */
  async pending(now: Date, after: string | null, limit: number): Promise<VoidRequestRow[]> {
    return await this.database.query<VoidRequestRow>(
      'markets.void_requests',
      `SELECT ${COLUMNS} FROM market_void_requests r
       WHERE approved_at IS NULL AND expires_at > $1 AND ($2::uuid IS NULL OR id > $2)
         AND NOT EXISTS (SELECT FROM markets m WHERE m.id = r.market_id AND m.status = 'voided')
       ORDER BY id LIMIT $3`,
      [now, after, limit],
    );
  }
}
