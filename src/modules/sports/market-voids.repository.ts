import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import { rolesThatMay } from '../../platform/security/permissions.js';
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

/** Who may say what voids a game, themselves or by accepting what a feed said; and what voids a market. */
const MAY_VOID_GAMES = rolesThatMay('games.result', 'feeds.decide');
const MAY_VOID_MARKETS = rolesThatMay('markets.void');
/** Of a request `r`: who asked is still here and may still ask. The word of anybody else is no half of a consent. */
const asked = (games: string, markets: string) => `EXISTS (
  SELECT FROM users u WHERE u.id = r.requested_by AND u.status = 'active'
    AND u.role = ANY (CASE WHEN r.market_id IS NULL THEN ${games}::text[] ELSE ${markets}::text[] END))`;

/** Who wants which market or game voided. The caller holds the game, so that two do not decide at once. */
@Injectable()
export class MarketVoidsRepository {
  constructor(private readonly database: Database) {}

  /** What waits for a second person. Indexes: ux_market_void_requests_pending, …_pending_game. */
  async findPending(
    manager: EntityManager,
    { game_id, market_id }: VoidTarget,
    now: Date,
  ): Promise<VoidRequestRow | null> {
    const [row] = await manager.query<VoidRequestRow[]>(
      `SELECT ${COLUMNS} FROM market_void_requests r
       WHERE ${OF_TARGET} AND expires_at > $3 AND ${asked('$4', '$5')}`,
      [game_id, market_id, now, MAY_VOID_GAMES, MAY_VOID_MARKETS],
    );
    return row ?? null;
  }

  /** In place of one that has expired, that nobody may ask for any more, or that asked for something else of the game. */
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

  /** What waits for these games and their markets; what was done stays. Index: ix_market_void_requests_game. */
  async forget(manager: EntityManager, gameIds: readonly string[]): Promise<void> {
    await manager.query(
      'DELETE FROM market_void_requests WHERE game_id = ANY ($1::uuid[]) AND approved_at IS NULL',
      [gameIds],
    );
  }

  /** Takes back what waits; its game is held first, so that nobody agrees meanwhile. */
  async withdraw(manager: EntityManager, id: string, now: Date): Promise<VoidRequestRow | null> {
    await manager.query(
      `SELECT FROM games g WHERE g.id = (SELECT r.game_id FROM market_void_requests r WHERE r.id = $1) FOR UPDATE`,
      [id],
    );
    const [rows] = await manager.query<[VoidRequestRow[], number]>(
      `DELETE FROM market_void_requests WHERE id = $1 AND approved_at IS NULL AND expires_at > $2
       RETURNING ${COLUMNS}`,
      [id, now],
    );
    return rows[0] ?? null;
  }

  /** The markets of a game that two people have voided. Index: ix_market_void_requests_game. */
  async voidedByTwo(manager: EntityManager, gameId: string): Promise<Set<string>> {
    const rows = await manager.query<{ market_id: string }[]>(
      `SELECT market_id FROM market_void_requests
       WHERE game_id = $1 AND market_id IS NOT NULL AND approved_at IS NOT NULL`,
      [gameId],
    );
    return new Set(rows.map(({ market_id }) => market_id));
  }

  /** What waits, oldest first, up to `limit` after that id. */
  async pending(now: Date, after: string | null, limit: number): Promise<VoidRequestRow[]> {
    return await this.database.query<VoidRequestRow>(
      'markets.void_requests',
      `SELECT ${COLUMNS} FROM market_void_requests r
       WHERE approved_at IS NULL AND expires_at > $1 AND ($2::uuid IS NULL OR id > $2) AND ${asked('$4', '$5')}
         AND NOT EXISTS (SELECT FROM markets m WHERE m.id = r.market_id AND m.status = 'voided')
       ORDER BY id LIMIT $3`,
      [now, after, limit, MAY_VOID_GAMES, MAY_VOID_MARKETS],
    );
  }
}
