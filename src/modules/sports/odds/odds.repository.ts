import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { Price } from '../domain/odds.js';
import { gameJson } from '../game-json.js';
import type { NumberedGame } from './domain/game-book.js';

export interface PriceRow {
  readonly gameId: string;
  readonly marketId: string;
  readonly outcome: string;
  readonly oddsId: string;
  readonly american: number | null;
  readonly decimal: string | null;
  readonly price: Price;
}

/** What changed something: its place among what was asked, from 1, and the number among its game's changes. */
export interface TakenRow {
  readonly place: number;
  readonly seq: string;
}

/** A price of long ago or of now. */
export interface OddsRow {
  readonly id: string;
  readonly outcome: string;
  readonly american: number | null;
  readonly decimal: string;
  readonly created_at: Date;
  /** The time of it to the microsecond, for cursors. */
  readonly at: string;
}

/** A market, and since when it is there: its prices are no older. */
export interface OfMarket {
  readonly id: string;
  readonly createdAt: Date;
}

export interface HistoryFilter {
  readonly outcomes: readonly string[];
  readonly from: Date | null;
  readonly to: Date | null;
  readonly before: { readonly at: string; readonly id: string } | null;
  readonly limit: number;
}

export interface EndsRow {
  readonly outcome: string;
  readonly opening: OddsRow;
  readonly closing: OddsRow | null;
}

/** Games of sports and leagues that start in a span around now, as the Clock of the database has it. */
export interface Followed {
  readonly sports: readonly string[];
  readonly leagues: readonly string[];
  readonly horizonDays: number;
}

const TAKE = 'SELECT place, seq FROM odds_take($1, $2, $3, $4, $5, $6, $7, $8, $9)';

/** The columns of an OddsRow, of `odds o`. Microseconds are more than a Date of JavaScript holds. */
const ODDS_COLUMNS = `o.id, o.outcome, o.american, round(o.price_num::numeric / o.price_den, 4)::text AS decimal, o.created_at,
  (extract(epoch FROM o.created_at) * 1000000)::bigint::text AS at`;

/** Partitions of days before the market was there hold none of its prices; the day is that of the ids, which is real time. */
const NOT_BEFORE = (createdAt: string): string =>
  `o.id >= uuid_of_day((${createdAt}::timestamptz AT TIME ZONE 'UTC')::date - 1)`;

@Injectable()
export class OddsRepository {
  constructor(private readonly database: Database) {}

  /** One call of odds_take, its own transaction. */
  async take(rows: readonly PriceRow[], freshGames: readonly string[]): Promise<TakenRow[]> {
    return await this.database.query<TakenRow & object>('odds.take', TAKE, argumentsOf(rows, freshGames));
  }

  /** The same as part of a transaction, which has what it locks besides already. */
  async takeIn(manager: EntityManager, rows: readonly PriceRow[]): Promise<TakenRow[]> {
    return await manager.query<TakenRow[]>(TAKE, argumentsOf(rows, []));
  }

  /** The current prices of a market, which change no more until the commit: the head of its game is locked. */
  async lockPrices(
    manager: EntityManager,
    { id, gameId }: { id: string; gameId: string },
  ): Promise<Pick<PriceRow, 'outcome' | 'american' | 'decimal'>[]> {
    await manager.query('SELECT FROM game_heads WHERE game_id = $1 FOR NO KEY UPDATE', [gameId]);
    return await manager.query(
      'SELECT outcome, american, decimal FROM market_prices WHERE market_id = $1 AND odds_id IS NOT NULL',
      [id],
    );
  }

  /** Games as their sockets know them, each as of one moment. Indexes: the primary keys. */
  async numberedGames(ids: readonly string[]): Promise<NumberedGame[]> {
    const rows = await this.database.query<{ game: NumberedGame }>(
      'odds.numbered_games',
      `SELECT ${gameJson('numbered')} AS game FROM games g WHERE g.id = ANY ($1::uuid[])`,
      [ids],
    );
    return rows.map(({ game }) => game);
  }

  async heads(ids: readonly string[]): Promise<{ id: string; seq: number }[]> {
    const rows = await this.database.query<{ game_id: string; seq: string }>(
      'odds.heads',
      'SELECT game_id, seq FROM game_heads WHERE game_id = ANY ($1::uuid[])',
      [ids],
    );
    return rows.map(({ game_id: id, seq }) => ({ id, seq: Number(seq) }));
  }

  /** Index: ix_games_slate, which the Clock is asked once for: asked in the conditions, for it may answer otherwise, it would be for each game. */
  async followed({ sports, leagues, horizonDays }: Followed): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      'odds.followed',
      `SELECT id FROM games WHERE starts_at >= (SELECT parley_now()) - interval '1 day'
         AND starts_at < (SELECT parley_now()) + make_interval(days => $3) AND (sport = ANY ($1::text[]) OR league = ANY ($2::text[]))`,
      [sports, leagues, horizonDays],
    );
    return rows.map(({ id }) => id);
  }

  async outcomesOf(marketId: string): Promise<string[]> {
    const rows = await this.database.query<{ outcome: string }>(
      'odds.outcomes',
      'SELECT outcome FROM market_prices WHERE market_id = $1',
      [marketId],
    );
    return rows.map(({ outcome }) => outcome);
  }

  /** Prices of a market, newest first: as many of each outcome as the page may hold, then the newest of them. Index: ix_odds_market_history. */
  async history(market: OfMarket, { outcomes, from, to, before, limit }: HistoryFilter): Promise<OddsRow[]> {
    // One bound, which the index begins at: of two it would scan from the first it likes.
    const until = { at: to === null ? LATEST : String(to.getTime() * 1000), id: LEAST_ID };
    const end = before !== null && BigInt(before.at) < BigInt(until.at) ? before : until;
    return await this.database.query<OddsRow & object>(
      'odds.history',
      `SELECT h.* FROM unnest($2::text[]) AS asked (outcome) CROSS JOIN LATERAL (
         SELECT ${ODDS_COLUMNS} FROM odds o
         WHERE o.market_id = $1 AND o.outcome = asked.outcome
           AND (o.created_at, o.id) < (timestamptz 'epoch' + $4::bigint * interval '1 microsecond', $5::uuid)
           AND o.created_at >= $3 AND ${NOT_BEFORE('$7')}
         ORDER BY o.created_at DESC, o.id DESC LIMIT $6) h
       ORDER BY h.created_at DESC, h.id DESC LIMIT $6`,
      [market.id, outcomes, from ?? '-infinity', end.at, end.id, limit, market.createdAt],
    );
  }

  /** The first price of each outcome, and the last one before the start once that has come. Index: ix_odds_market_history. */
  async ends(market: OfMarket, outcomes: readonly string[]): Promise<EndsRow[]> {
    return await this.database.query<EndsRow & object>(
      'odds.ends',
      `SELECT asked.outcome, to_json(opening) AS opening, to_json(closing) AS closing FROM unnest($2::text[]) AS asked (outcome)
       JOIN markets m ON m.id = $1 JOIN games g ON g.id = m.game_id CROSS JOIN (SELECT parley_now() AS now) t
       JOIN LATERAL (
         SELECT ${ODDS_COLUMNS} FROM odds o WHERE o.market_id = $1 AND o.outcome = asked.outcome AND ${NOT_BEFORE('$3')}
         ORDER BY o.created_at, o.id LIMIT 1) opening ON true
       LEFT JOIN LATERAL (
         SELECT ${ODDS_COLUMNS} FROM odds o WHERE o.market_id = $1 AND o.outcome = asked.outcome
           AND o.created_at < g.starts_at AND g.starts_at <= t.now AND ${NOT_BEFORE('$3')}
         ORDER BY o.created_at DESC, o.id DESC LIMIT 1) closing ON true`,
      [market.id, outcomes, market.createdAt],
    );
  }

  /** Partitions for the days to come, by the real time that is in the ids; there already, nothing happens. */
  async openDays(days: number): Promise<void> {
    await this.database.query(
      'odds.open_days',
      `SELECT odds_open_days((clock_timestamp() AT TIME ZONE 'UTC')::date, $1)`,
      [days],
    );
  }
}

/** Microseconds of a time that never comes. */
const LATEST = '9000000000000000';
const LEAST_ID = '00000000-0000-0000-0000-000000000000';

function argumentsOf(rows: readonly PriceRow[], freshGames: readonly string[]): unknown[] {
  return [
    rows.map(({ gameId }) => gameId),
    rows.map(({ marketId }) => marketId),
    rows.map(({ outcome }) => outcome),
    rows.map(({ oddsId }) => oddsId),
    rows.map(({ american }) => american),
    rows.map(({ decimal }) => decimal),
    rows.map(({ price }) => price.num.toString()),
    rows.map(({ price }) => price.den.toString()),
    freshGames,
  ];
}
