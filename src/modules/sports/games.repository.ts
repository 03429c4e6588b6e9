import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Repository } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { GameState, MarketState } from './domain/markets.js';
import { Game } from './entities/game.entity.js';
import { Market } from './entities/market.entity.js';

export interface SlateFilter {
  sport: string | null;
  from: Date | null;
  to: Date | null;
  after: { startsAt: Date; id: string } | null;
  limit: number;
}

export interface SlateRow {
  id: string;
  starts_at: Date;
  game: object;
}

@Injectable()
export class GamesRepository {
  constructor(
    private readonly database: Database,
    @InjectRepository(Game) private readonly games: Repository<Game>,
    @InjectRepository(Market) private readonly markets: Repository<Market>,
  ) {}

  /** A page of games with markets and current prices, by start and id. Indexes: ix_games_slate, ix_games_sport_slate. */
  async slate(filter: SlateFilter): Promise<SlateRow[]> {
    return await this.database.query<SlateRow>(
      filter.sport === null ? 'games.slate' : 'games.slate_of_sport',
      `SELECT g.id, g.starts_at, ${GAME_JSON} AS game FROM games g
       WHERE ($1::timestamptz IS NULL OR g.starts_at >= $1) AND ($2::timestamptz IS NULL OR g.starts_at < $2)
         AND ($3::timestamptz IS NULL OR (g.starts_at, g.id) > ($3, $4::uuid))
         ${filter.sport === null ? 'AND $5::text IS NULL' : 'AND g.sport = $5'}
       ORDER BY g.starts_at, g.id LIMIT $6`,
      [
        filter.from,
        filter.to,
        filter.after?.startsAt ?? null,
        filter.after?.id ?? null,
        filter.sport,
        filter.limit,
      ],
    );
  }

  async findOne(id: string): Promise<SlateRow | null> {
    const [row] = await this.database.query<SlateRow>(
      'games.one',
      `SELECT g.id, g.starts_at, ${GAME_JSON} AS game FROM games g WHERE g.id = $1`,
      [id],
    );
    return row ?? null;
  }

  async findGame(id: string): Promise<Game | null> {
    return await this.games.findOneBy({ id });
  }

  async findMarket(id: string): Promise<Market | null> {
    return await this.markets.findOneBy({ id });
  }

  async marketsOf(manager: EntityManager, gameId: string): Promise<Market[]> {
    return await manager.getRepository(Market).find({ where: { gameId }, order: { id: 'ASC' } });
  }

  /** Waits for the bets on this game that are being placed and holds off the ones to come until the commit. */
  async shutGate(manager: EntityManager, gameId: string): Promise<void> {
    await manager.query('SELECT parley_gate_shut($1)', [gameId]);
  }

  async lockGame(manager: EntityManager, id: string): Promise<Game | null> {
    return await manager.getRepository(Game).findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  async updateGame(
    manager: EntityManager,
    id: string,
    from: readonly GameState[],
    change: Partial<Game>,
  ): Promise<boolean> {
    const result = await manager
      .createQueryBuilder()
      .update(Game)
      .set(change)
      .where('id = :id AND status IN (:...from)', { id, from })
      .execute();
    return result.affected === 1;
  }

  /** Moves the markets of a game that are in one of the states `from`; tells which. */
  async moveMarkets(
    manager: EntityManager,
    gameId: string,
    from: readonly MarketState[],
    to: Exclude<MarketState, 'suspended'>,
    now: Date,
  ): Promise<string[]> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      `UPDATE markets SET status = $3, suspended_by = NULL, updated_at = $4
       WHERE game_id = $1 AND status = ANY ($2) RETURNING id`,
      [gameId, from, to, now],
    );
    return rows.map((row) => row.id);
  }

  /** Moves one market that is in one of the states `from`. What is suspended this way is so by an operator. */
  async moveMarket(
    manager: EntityManager,
    id: string,
    from: readonly MarketState[],
    to: MarketState,
    now: Date,
  ): Promise<boolean> {
    const [, count] = await manager.query<[unknown[], number]>(
      'UPDATE markets SET status = $3, suspended_by = $5, updated_at = $4 WHERE id = $1 AND status = ANY ($2)',
      [id, from, to, now, to === 'suspended' ? 'operator' : null],
    );
    return count === 1;
  }

  /** An operator's halt of the other lines of a market's kind is over: an import may take them up again. */
  async liftHalt(manager: EntityManager, { id, gameId, kind }: Market, now: Date): Promise<void> {
    await manager.query(
      `UPDATE markets SET suspended_by = 'line_moved', updated_at = $4
       WHERE game_id = $1 AND kind = $2 AND id <> $3 AND suspended_by = 'operator'`,
      [gameId, kind, id, now],
    );
  }

  /** How many games in the span are not over yet, by status. Index: ix_games_slate. */
  async unfinishedBetween(manager: EntityManager, from: Date, to: Date): Promise<number> {
    const [row] = await manager.query<{ n: string }[]>(
      `SELECT count(*) AS n FROM games WHERE starts_at >= $1 AND starts_at < $2
       AND status NOT IN ('final', 'cancelled', 'abandoned')`,
      [from, to],
    );
    return Number(row?.n ?? 0);
  }

  async isEmpty(): Promise<boolean> {
    return (await this.games.count({ take: 1 })) === 0;
  }
}

/** One game as clients see it, made by Postgres in one pass: markets in the order of their kind, prices of outcomes. */
const GAME_JSON = `json_build_object(
  'id', g.id, 'sport', g.sport, 'league', g.league, 'season', g.season, 'homeTeam', g.home_team,
  'awayTeam', g.away_team, 'neutral', g.neutral,
  'startsAt', to_char(g.starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'status', g.status,
  'homeScore', g.home_score, 'awayScore', g.away_score, 'externalId', g.external_id,
  'markets', coalesce((
    SELECT json_agg(json_build_object('id', m.id, 'kind', m.kind, 'line', m.line::text, 'status', m.status,
      'prices', coalesce((
        SELECT json_agg(json_build_object('outcome', p.outcome, 'oddsId', p.odds_id, 'american', p.american,
          'decimal', round(p.price_num::numeric / p.price_den, 4)::text) ORDER BY p.outcome IN ('away', 'under'))
        FROM market_prices p WHERE p.market_id = m.id), '[]'::json))
      ORDER BY m.kind, m.line, m.id)
    FROM markets m WHERE m.game_id = g.id), '[]'::json))`;
