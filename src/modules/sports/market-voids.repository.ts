import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { GameResultDto } from './dto/games.dto.js';

/** What one person wants voided: a market, or a game by what they say of it (`report`, without their reason). */
export interface VoidTarget {
  game_id: string;
  market_id: string | null;
  report: GameResultDto | null;
}

export interface VoidRequestRow extends VoidTarget {
  id: string;
  requested_by: string;
  requested_at: Date;
  expires_at: Date;
  reason: string | null;
  bets: number;
}

const COLUMNS = 'id, game_id, market_id, report, requested_by, requested_at, expires_at, reason, bets';
/** Of `VoidTarget`: what waits for the game itself, or for a market of it. */
const OF_TARGET = 'game_id = $1 AND market_id IS NOT DISTINCT FROM $2::uuid AND approved_at IS NULL';

/** Who wants which market or game voided. The caller holds the game, so that two do not decide at once. */
@Injectable()
export class MarketVoidsRepository {
  constructor(private readonly database: Database) {}

  /** What waits for a second person who says the same. Indexes: ux_market_void_requests_pending, …_pending_game. */
  async findPending(manager: EntityManager, target: VoidTarget, now: Date): Promise<VoidRequestRow | null> {
    const [row] = await manager.query<VoidRequestRow[]>(
      `SELECT ${COLUMNS} FROM market_void_requests
       WHERE ${OF_TARGET} AND report IS NOT DISTINCT FROM $3::jsonb AND expires_at > $4`,
      [target.game_id, target.market_id, target.report && JSON.stringify(target.report), now],
    );
    return row ?? null;
  }

  /** In place of one that has expired, or that asked for something else of the game. */
  async insert(manager: EntityManager, row: VoidRequestRow): Promise<void> {
    await manager.query(`DELETE FROM market_void_requests WHERE ${OF_TARGET}`, [row.game_id, row.market_id]);
    await manager.query(
      `INSERT INTO market_void_requests (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        row.id,
        row.game_id,
        row.market_id,
        row.report && JSON.stringify(row.report),
        row.requested_by,
        row.requested_at,
        row.expires_at,
        row.reason,
        row.bets,
      ],
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
         AND NOT EXISTS (SELECT FROM games g WHERE g.id = r.game_id AND g.status = r.report ->> 'status')
       ORDER BY id LIMIT $3`,
      [now, after, limit],
    );
  }
}
