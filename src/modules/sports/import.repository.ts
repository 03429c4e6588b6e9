import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { NamedOutcome } from './domain/markets.js';
import { GameChanges } from './odds/game-changes.js';

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
  prop: string | null;
  title: string | null;
  outcomes: readonly NamedOutcome[] | null;
  places: number;
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
  constructor(private readonly changes: GameChanges) {}

  /**
   * Before the start or a line of games moves: waits for the bets on them that are being placed and holds off the ones to come
   * until the commit. The rows of all games that are known are locked first, in the order of their ids, the gates of those that
   * move after them, and then the heads, which whoever tells a price takes in this order too. Answers which are known. A game
   * without a start stays where it is.
   */
  async shutGates(
    manager: EntityManager,
    games: (Pick<GameToImport, 'source' | 'external_id'> & { starts_at: string | null })[],
    prices: PriceToImport[],
  ): Promise<string[]> {
    const rows = await manager.query<{ id: string }[]>(
      `SELECT g.id FROM jsonb_to_recordset($1::jsonb) AS n (source text, external_id text)
       JOIN games g ON g.source = n.source AND g.external_id = n.external_id
       ORDER BY g.id FOR UPDATE OF g`,
      [JSON.stringify(games)],
    );
    const known = rows.map(({ id }) => id);
    await manager.query(
      `WITH n AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS n (source text, external_id text, starts_at timestamptz)),
       p AS (SELECT * FROM jsonb_to_recordset($2::jsonb) AS p (external_id text, kind text, prop text, line numeric)),
       moving AS MATERIALIZED (
         SELECT g.id FROM n JOIN games g ON g.source = n.source AND g.external_id = n.external_id
         WHERE (g.status = 'scheduled' OR g.confirm_due_at IS NOT NULL) AND (coalesce(g.source_starts_at, g.first_starts_at) <> n.starts_at OR EXISTS (
           SELECT FROM markets m JOIN p ON p.kind = m.kind AND p.prop IS NOT DISTINCT FROM m.prop AND p.line IS DISTINCT FROM m.line
           WHERE m.game_id = g.id AND p.external_id = g.external_id AND m.status = 'open'))
         ORDER BY g.id)
       SELECT parley_gate_shut(id) FROM unnest((SELECT array_agg(id ORDER BY id) FROM moving)) AS id`,
      [JSON.stringify(games), JSON.stringify(prices)],
    );
    await this.lockHeads(manager, known);
    return known;
  }

  /** The heads of games, before anything of them changes, in the order in which who tells prices takes them. */
  async lockHeads(manager: EntityManager, gameIds: readonly string[]): Promise<void> {
    await manager.query(
      'SELECT FROM game_heads WHERE game_id = ANY ($1::uuid[]) ORDER BY game_id FOR NO KEY UPDATE',
      [gameIds],
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

  /** Games whose cancellation, by a start that was put off too far, is not confirmed, and that start when they did. */
  async findTakenBack(manager: EntityManager, games: GameToImport[]): Promise<string[]> {
    const rows = await manager.query<{ id: string }[]>(
      `SELECT g.id FROM jsonb_to_recordset($1::jsonb) AS n (source text, external_id text, starts_at timestamptz)
       JOIN games g ON g.source = n.source AND g.external_id = n.external_id
       WHERE g.status = 'cancelled' AND g.confirm_due_at IS NOT NULL AND n.starts_at = g.starts_at
         AND g.source_starts_at > g.starts_at AND g.starts_at > parley_now()
         AND NOT EXISTS (SELECT FROM markets m WHERE m.game_id = g.id AND m.status = 'settled')
       ORDER BY g.id`,
      [JSON.stringify(games)],
    );
    return rows.map(({ id }) => id);
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

  /** Their feed has spoken of these games just now. Their heads are locked already. */
  async freshen(manager: EntityManager, gameIds: readonly string[]): Promise<void> {
    await manager.query('UPDATE game_heads SET fresh_at = parley_now() WHERE game_id = ANY ($1::uuid[])', [
      gameIds,
    ]);
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
   * again when the line moves back to it; so is one whose feed had fallen silent. What an operator has suspended stays so, and so is every
   * other line of the game's kind of market that the feed moves to; what one user may stake goes over to it too. A feed's prop gets the outcomes that are new to it and keeps
   * those that it has: there may be bets on them. `ofFeed`: they are suspended when their source falls silent.
   */
  async upsertMarkets(manager: EntityManager, prices: PriceToImport[], ofFeed: boolean): Promise<void> {
    await manager.query(
      `WITH n AS (
         SELECT DISTINCT ON (g.id, n.kind, n.prop) n.market_id, g.id AS game_id, n.kind, n.line, n.prop, n.title, n.outcomes, n.places,
                g.status = 'scheduled' AND g.starts_at > parley_now() AS upcoming,
                EXISTS (SELECT FROM markets m WHERE m.game_id = g.id AND m.kind = n.kind AND m.prop IS NOT DISTINCT FROM n.prop
                          AND m.suspended_by = 'operator') AS halted,
                (SELECT min(m.max_stake) FROM markets m WHERE m.game_id = g.id AND m.kind = n.kind
                   AND m.prop IS NOT DISTINCT FROM n.prop) AS max_stake
         FROM jsonb_to_recordset($1::jsonb) AS n (market_id uuid, source text, external_id text, kind text, line numeric,
           prop text, title text, outcomes jsonb, places smallint)
         JOIN games g ON g.source = n.source AND g.external_id = n.external_id
         ORDER BY g.id, n.kind, n.prop),
       moved AS (
         UPDATE markets m SET status = 'suspended', suspended_by = 'line_moved', updated_at = clock_timestamp() FROM n
         WHERE n.upcoming AND m.game_id = n.game_id AND m.kind = n.kind AND m.prop IS NOT DISTINCT FROM n.prop
           AND m.line IS DISTINCT FROM n.line AND m.status = 'open')
       INSERT INTO markets (id, game_id, kind, line, prop, title, outcomes, places, max_stake, of_feed, status, suspended_by)
       SELECT market_id, game_id, kind, line, prop, title, outcomes, places, max_stake, $2::boolean,
              CASE WHEN NOT upcoming THEN 'closed' WHEN halted THEN 'suspended' ELSE 'open' END,
              CASE WHEN upcoming AND halted THEN 'operator' END
       FROM n
       ON CONFLICT ON CONSTRAINT ux_markets_game_kind_prop_line DO UPDATE
         SET status = CASE WHEN markets.suspended_by IN ('line_moved', 'feed_stale') THEN excluded.status ELSE markets.status END,
             suspended_by = CASE WHEN markets.suspended_by IN ('line_moved', 'feed_stale') THEN excluded.suspended_by
                            ELSE markets.suspended_by END,
             outcomes = CASE WHEN markets.kind = 'prop' AND markets.of_feed AND excluded.of_feed
                        THEN outcomes_joined(markets.outcomes, excluded.outcomes) ELSE markets.outcomes END,
             updated_at = clock_timestamp()
         WHERE excluded.status <> 'closed' AND (markets.suspended_by IN ('line_moved', 'feed_stale')
           OR (markets.kind = 'prop' AND markets.of_feed AND excluded.of_feed AND markets.status IN ('open', 'suspended', 'closed')
               AND outcomes_joined(markets.outcomes, excluded.outcomes) <> markets.outcomes))`,
      [JSON.stringify(prices), ofFeed],
    );
  }

  /** Prices that are new or have changed, of games not begun, taken as odds_take takes them; how many there were. */
  async insertPrices(manager: EntityManager, prices: PriceToImport[]): Promise<number> {
    const rows = await manager.query<{ game_id: string }[]>(
      `WITH n AS MATERIALIZED (
         SELECT g.id AS game_id, m.id AS market_id, n.odds_id, n.outcome, n.american, n.decimal, n.price_num, n.price_den
         FROM jsonb_to_recordset($1::jsonb) AS n (odds_id uuid, source text, external_id text, kind text, prop text,
           line numeric, outcome text, american int, decimal numeric, price_num bigint, price_den bigint)
         JOIN games g ON g.source = n.source AND g.external_id = n.external_id
         JOIN markets m ON m.game_id = g.id AND m.kind = n.kind AND m.prop IS NOT DISTINCT FROM n.prop
           AND m.line IS NOT DISTINCT FROM n.line),
       a AS MATERIALIZED (
         SELECT array_agg(game_id) AS games, array_agg(market_id) AS markets, array_agg(outcome) AS outcomes,
                array_agg(odds_id) AS odds, array_agg(american) AS american, array_agg(decimal) AS decimal,
                array_agg(price_num) AS num, array_agg(price_den) AS den
         FROM n)
       SELECT a.games[t.place] AS game_id
       FROM a, odds_take(a.games, a.markets, a.outcomes, a.odds, a.american, a.decimal, a.num, a.den, '{}') AS t`,
      [JSON.stringify(prices)],
    );
    this.changes.told(manager, ...new Set(rows.map((row) => row.game_id)));
    return rows.length;
  }
}
