import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

export interface GameToImport {
  id: string;
  source: string;
  external_id: string;
  sport: string;
  league: string;
  season: string;
  home_team: string;
  away_team: string;
  neutral: boolean;
  starts_at: string;
}

export interface PriceToImport {
  market_id: string;
  odds_id: string;
  source: string;
  external_id: string;
  kind: string;
  line: string | null;
  outcome: string;
  american: number | null;
  decimal: string | null;
  price_num: string;
  price_den: string;
}

export interface ImportedGameRow {
  id: string;
  external_id: string;
  starts_at: Date;
  inserted: boolean;
}

/** A game whose start its source moves to later so shortly before it that it is a postponement. */
export interface PostponedRow {
  id: string;
  starts_at: Date;
}

export interface StoredResultRow {
  id: string;
  external_id: string;
  status: string;
  home_score: number | null;
  away_score: number | null;
}

/** Writing whole batches of games, markets and prices, each in one statement. */
@Injectable()
export class ImportRepository {
  /**
   * Before the start or a line of games moves: waits for the bets on them that are being placed and holds off the ones
   * to come until the commit. All their rows are locked first, in the order of their ids, and their gates after them.
   */
  async shutGates(manager: EntityManager, games: GameToImport[], prices: PriceToImport[]): Promise<void> {
    await manager.query(
      `WITH n AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS n (source text, external_id text, starts_at timestamptz)),
       p AS (SELECT * FROM jsonb_to_recordset($2::jsonb) AS p (external_id text, kind text, line numeric)),
       moving AS MATERIALIZED (
         SELECT g.id FROM n JOIN games g ON g.source = n.source AND g.external_id = n.external_id
         WHERE g.status = 'scheduled' AND (coalesce(g.source_starts_at, g.first_starts_at) <> n.starts_at OR EXISTS (
           SELECT FROM markets m JOIN p ON p.kind = m.kind AND p.line IS DISTINCT FROM m.line
           WHERE m.game_id = g.id AND p.external_id = g.external_id AND m.status = 'open'))
         ORDER BY g.id FOR UPDATE OF g)
       SELECT parley_gate_shut(id) FROM unnest((SELECT array_agg(id) FROM moving)) AS id`,
      [JSON.stringify(games), JSON.stringify(prices)],
    );
  }

  /** Games that start by `flexUntil` and are moved to later, with their new starts. */
  async findPostponed(
    manager: EntityManager,
    games: GameToImport[],
    flexUntil: Date,
  ): Promise<PostponedRow[]> {
    return await manager.query<PostponedRow[]>(
      `SELECT g.id, n.starts_at
       FROM jsonb_to_recordset($1::jsonb) AS n (source text, external_id text, starts_at timestamptz)
       JOIN games g ON g.source = n.source AND g.external_id = n.external_id
       WHERE g.status = 'scheduled' AND g.starts_at > parley_now() AND g.starts_at <= $2 AND n.starts_at > g.starts_at
         AND coalesce(g.source_starts_at, g.first_starts_at) <> n.starts_at
       ORDER BY g.id`,
      [JSON.stringify(games), flexUntil],
    );
  }

  /**
   * Adds new games and takes over what has changed of those not begun, also that one has begun already (its bets since
   * then are void). A move of a start after `flexUntil` is a change of schedule, from which the grace runs anew; the
   * start of a game that is `postponed` stays. Tells every game of the batch that was touched.
   */
  async upsertGames(
    manager: EntityManager,
    games: GameToImport[],
    flexUntil: Date,
    postponed: PostponedRow[],
  ): Promise<ImportedGameRow[]> {
    return await manager.query<ImportedGameRow[]>(
      `INSERT INTO games AS g (id, source, external_id, sport, league, season, home_team, away_team, neutral, starts_at,
                               first_starts_at, source_starts_at)
       SELECT id, source, external_id, sport, league, season, home_team, away_team, neutral, starts_at, starts_at, starts_at
       FROM jsonb_to_recordset($1::jsonb) AS n (id uuid, source text, external_id text, sport text, league text,
         season text, home_team text, away_team text, neutral boolean, starts_at timestamptz)
       ON CONFLICT (source, external_id) DO UPDATE
         SET home_team = excluded.home_team, away_team = excluded.away_team, neutral = excluded.neutral,
             starts_at = CASE WHEN excluded.starts_at = coalesce(g.source_starts_at, g.first_starts_at)
                                OR g.id = ANY ($3::uuid[]) THEN g.starts_at
                              ELSE excluded.starts_at END,
             first_starts_at = CASE WHEN excluded.starts_at = coalesce(g.source_starts_at, g.first_starts_at)
                                      OR g.starts_at <= $2 THEN g.first_starts_at
                                    ELSE excluded.starts_at END,
             source_starts_at = excluded.starts_at, updated_at = clock_timestamp()
         WHERE g.status = 'scheduled' AND g.starts_at > parley_now()
           AND (g.home_team, g.away_team, g.neutral, coalesce(g.source_starts_at, g.first_starts_at))
               IS DISTINCT FROM (excluded.home_team, excluded.away_team, excluded.neutral, excluded.starts_at)
       RETURNING id, external_id, starts_at, xmax = 0 AS inserted`,
      [JSON.stringify(games), flexUntil, postponed.map(({ id }) => id)],
    );
  }

  async findResults(
    manager: EntityManager,
    source: string,
    externalIds: string[],
  ): Promise<StoredResultRow[]> {
    return await manager.query<StoredResultRow[]>(
      `SELECT id, external_id, status, home_score, away_score FROM games
       WHERE source = $1 AND external_id = ANY ($2)`,
      [source, externalIds],
    );
  }

  /**
   * Markets that are new. A market whose line has moved away is suspended, for a moved line is a new market, and taken up
   * again when the line moves back to it. What an operator has suspended stays so, and so is every other line of the
   * game's kind of market that the feed moves to.
   */
  async upsertMarkets(manager: EntityManager, prices: PriceToImport[]): Promise<void> {
    await manager.query(
      `WITH n AS (
         SELECT DISTINCT ON (g.id, n.kind) n.market_id, g.id AS game_id, n.kind, n.line,
                g.status = 'scheduled' AND g.starts_at > parley_now() AS upcoming,
                EXISTS (SELECT FROM markets m WHERE m.game_id = g.id AND m.kind = n.kind AND m.suspended_by = 'operator')
                  AS halted
         FROM jsonb_to_recordset($1::jsonb) AS n (market_id uuid, source text, external_id text, kind text, line numeric)
         JOIN games g ON g.source = n.source AND g.external_id = n.external_id
         ORDER BY g.id, n.kind),
       moved AS (
         UPDATE markets m SET status = 'suspended', suspended_by = 'line_moved', updated_at = clock_timestamp() FROM n
         WHERE n.upcoming AND m.game_id = n.game_id AND m.kind = n.kind AND m.line IS DISTINCT FROM n.line
           AND m.status = 'open')
       INSERT INTO markets (id, game_id, kind, line, status, suspended_by)
       SELECT market_id, game_id, kind, line,
              CASE WHEN NOT upcoming THEN 'closed' WHEN halted THEN 'suspended' ELSE 'open' END,
              CASE WHEN upcoming AND halted THEN 'operator' END
       FROM n
       ON CONFLICT ON CONSTRAINT ux_markets_game_kind_prop_line DO UPDATE
         SET status = excluded.status, suspended_by = excluded.suspended_by, updated_at = clock_timestamp()
         WHERE markets.suspended_by = 'line_moved' AND excluded.status <> 'closed'`,
      [JSON.stringify(prices)],
    );
  }

  /** A new row for each price that is new or has changed, of games not begun; the current one is moved to it. */
  async insertPrices(manager: EntityManager, prices: PriceToImport[]): Promise<number> {
    const rows = await manager.query<unknown[]>(
      `WITH changed AS (
         SELECT n.odds_id, m.id AS market_id, n.outcome, n.american, n.decimal, n.price_num, n.price_den
         FROM jsonb_to_recordset($1::jsonb) AS n (odds_id uuid, source text, external_id text, kind text, line numeric,
           outcome text, american int, decimal numeric, price_num bigint, price_den bigint)
         JOIN games g ON g.source = n.source AND g.external_id = n.external_id
         JOIN markets m ON m.game_id = g.id AND m.kind = n.kind AND m.line IS NOT DISTINCT FROM n.line
         LEFT JOIN market_prices p ON p.market_id = m.id AND p.outcome = n.outcome
         WHERE p.odds_id IS NULL
            OR ((p.american, p.decimal) IS DISTINCT FROM (n.american, n.decimal)
                AND g.status = 'scheduled' AND g.starts_at > parley_now())),
       kept AS (
         INSERT INTO odds (id, market_id, outcome, american, decimal, price_num, price_den)
         SELECT odds_id, market_id, outcome, american, decimal, price_num, price_den FROM changed RETURNING id)
       INSERT INTO market_prices (market_id, outcome, odds_id, american, decimal, price_num, price_den)
       SELECT market_id, outcome, odds_id, american, decimal, price_num, price_den FROM changed
       ORDER BY market_id, outcome
       ON CONFLICT (market_id, outcome) DO UPDATE
         SET odds_id = excluded.odds_id, american = excluded.american, decimal = excluded.decimal,
             price_num = excluded.price_num, price_den = excluded.price_den
       RETURNING 1`,
      [JSON.stringify(prices)],
    );
    return rows.length;
  }
}
