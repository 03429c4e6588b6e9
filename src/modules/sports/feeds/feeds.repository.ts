import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { MarketState, SuspendedBy } from '../domain/markets.js';
import type { DroppedOutcome } from './domain/known-prices.js';
import type { FeedQuota } from './feed-problem.js';
import type { FeedPollKind } from './feeds.types.js';
import type { HeldLine } from './sports-feed.js';

export interface KnownGameRow {
  readonly id: string;
  readonly external_id: string;
  readonly sport: string;
  readonly starts_at: Date;
  /** Whether the feed has said something by which it has begun before its start, and nobody has decided about it. */
  readonly doubted: boolean;
  readonly markets: readonly {
    readonly id: string;
    readonly kind: string;
    readonly prop: string | null;
    readonly line: string | null;
    readonly status: MarketState;
    readonly suspendedBy: SuspendedBy | null;
    readonly ofFeed: boolean;
    readonly outcomes: readonly string[] | null;
    readonly prices: readonly { outcome: string; american: number | null; decimal: string | null }[] | null;
  }[];
}

export interface FeedRow {
  readonly source: string;
  readonly followed: boolean;
  readonly quota: FeedQuota | null;
  readonly games: number;
  readonly quarantined: number;
  readonly polls: readonly {
    readonly kind: FeedPollKind;
    readonly lastSuccessAt: string | null;
    readonly lastError: string | null;
    readonly lastErrorAt: string | null;
    readonly failures: number;
  }[];
}

/** Stale: not told of for so many seconds; `$1` of a game that goes on, `$2` of one that has not begun. Of `games g`, `game_heads h`. */
const STALE = `coalesce(h.fresh_at, '-infinity') < parley_now() - make_interval(secs =>
  CASE WHEN g.status = 'in_progress' OR g.starts_at <= parley_now() THEN $1::float8 ELSE $2::float8 END)`;

/** What feeds have said, and who follows them. */
@Injectable()
export class FeedsRepository {
  constructor(private readonly database: Database) {}

  /** Whether this holder follows the feed for so many seconds to come, by the server's own time: nobody else does then. */
  async hold(source: string, holder: string, seconds: number): Promise<boolean> {
    const rows = await this.database.query(
      'feeds.hold',
      `INSERT INTO feeds AS f (source, holder, held_until) VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
       ON CONFLICT (source) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
         WHERE f.holder = excluded.holder OR coalesce(f.held_until, '-infinity') < clock_timestamp()
       RETURNING 1`,
      [source, holder, seconds],
    );
    return rows.length === 1;
  }

  /** So that another takes it up at once. */
  async release(source: string, holder: string): Promise<void> {
    await this.database.query(
      'feeds.release',
      'UPDATE feeds SET held_until = NULL, holder = NULL WHERE source = $1 AND holder = $2',
      [source, holder],
    );
  }

  async noteSuccess(source: string, kind: FeedPollKind, quota: FeedQuota | null): Promise<void> {
    await this.database.query(
      'feeds.success',
      `WITH noted AS (UPDATE feeds SET quota = $3 WHERE source = $1 AND quota IS DISTINCT FROM $3::jsonb)
       INSERT INTO feed_polls (source, kind, last_success_at) VALUES ($1, $2, parley_now())
       ON CONFLICT (source, kind) DO UPDATE SET last_success_at = excluded.last_success_at, failures = 0`,
      [source, kind, quota && JSON.stringify(quota)],
    );
  }

  async noteFailure(source: string, kind: FeedPollKind, error: string): Promise<void> {
    await this.database.query(
      'feeds.failure',
      `INSERT INTO feed_polls (source, kind, last_error, last_error_at, failures) VALUES ($1, $2, $3, parley_now(), 1)
       ON CONFLICT (source, kind) DO UPDATE
         SET last_error = excluded.last_error, last_error_at = excluded.last_error_at, failures = feed_polls.failures + 1`,
      [source, kind, error],
    );
  }

  /** Index: ix_games_of_feed. */
  async list(): Promise<FeedRow[]> {
    return await this.database.query<FeedRow & object>(
      'feeds.list',
      `SELECT f.source, coalesce(f.held_until > clock_timestamp(), false) AS followed, f.quota,
         (SELECT count(*)::int FROM games g WHERE g.source = f.source AND g.status IN ('scheduled', 'in_progress')) AS games,
         (SELECT count(*)::int FROM feed_quarantine q WHERE q.source = f.source AND q.status = 'open') AS quarantined,
         coalesce((SELECT json_agg(json_build_object('kind', p.kind, 'lastSuccessAt', p.last_success_at, 'lastError', p.last_error,
           'lastErrorAt', p.last_error_at, 'failures', p.failures) ORDER BY p.kind)
           FROM feed_polls p WHERE p.source = f.source), '[]') AS polls
       FROM feeds f ORDER BY f.source`,
    );
  }

  /** The games of a feed that take prices, or of those the ones named, with their markets. Indexes: ix_games_of_feed, ux_feed_quarantine_open. */
  async knownGames(source: string, externalIds: readonly string[] | null): Promise<KnownGameRow[]> {
    return await this.database.query<KnownGameRow & object>(
      'feeds.known_games',
      `SELECT g.id, g.external_id, g.sport, g.starts_at, EXISTS (
         SELECT FROM feed_quarantine q WHERE q.source = g.source AND q.external_id = g.external_id AND q.status = 'open'
           AND (q.kind IN ('score', 'result') OR (q.kind = 'schedule' AND q.reason = 'START_IN_PAST'))) AS doubted, coalesce((
         SELECT json_agg(json_build_object('id', m.id, 'kind', m.kind, 'prop', m.prop, 'line', m.line::text, 'status', m.status,
           'suspendedBy', m.suspended_by, 'ofFeed', m.of_feed, 'outcomes', jsonb_path_query_array(m.outcomes, '$[*].key'), 'prices', (
             SELECT json_agg(json_build_object('outcome', p.outcome, 'american', p.american, 'decimal', p.decimal::text))
             FROM market_prices p WHERE p.market_id = m.id AND p.odds_id IS NOT NULL)))
         FROM markets m WHERE m.game_id = g.id), '[]') AS markets
       FROM games g WHERE g.source = $1 AND g.status = 'scheduled' AND ($2::text[] IS NULL OR g.external_id = ANY ($2))`,
      [source, externalIds],
    );
  }

  /** The lines that are open of a feed's markets; of several, which only an operator makes, the latest. Index: ix_games_of_feed. */
  async heldLines(source: string): Promise<HeldLine[]> {
    return await this.database.query<HeldLine & object>(
      'feeds.held_lines',
      `SELECT DISTINCT ON (g.id, m.kind) g.external_id AS "externalId", m.kind, m.line::text AS line
       FROM games g JOIN markets m ON m.game_id = g.id
       WHERE g.source = $1 AND g.status = 'scheduled' AND m.of_feed AND m.line IS NOT NULL AND m.status = 'open'
       ORDER BY g.id, m.kind, m.updated_at DESC`,
      [source],
    );
  }

  /** Which games of a feed have markets that wait for a fresh price. Index: ix_markets_stale. */
  async waitingGames(source: string): Promise<string[]> {
    const rows = await this.database.query<{ external_id: string }>(
      'feeds.waiting_games',
      `SELECT DISTINCT g.external_id FROM markets m JOIN games g ON g.id = m.game_id
       WHERE m.suspended_by = 'feed_stale' AND g.source = $1 AND g.status = 'scheduled' AND g.starts_at > parley_now()`,
      [source],
    );
    return rows.map(({ external_id: externalId }) => externalId);
  }

  /** The open markets that a feed offers of the games that are named and have not begun, by game. */
  async openMarkets(
    source: string,
    externalIds: readonly string[],
  ): Promise<{ game_id: string; market_ids: string[] }[]> {
    return await this.database.query<{ game_id: string; market_ids: string[] }>(
      'feeds.open_markets',
      `SELECT m.game_id, array_agg(m.id) AS market_ids FROM games g JOIN markets m ON m.game_id = g.id
       WHERE g.source = $1 AND g.external_id = ANY ($2) AND g.status = 'scheduled' AND m.status = 'open' AND m.of_feed
       GROUP BY m.game_id`,
      [source, externalIds],
    );
  }

  /** Locks games in the order of their ids and shuts their gates: before markets of them are suspended. */
  async shutGames(manager: EntityManager, gameIds: readonly string[]): Promise<void> {
    await manager.query('SELECT FROM games WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE', [gameIds]);
    await this.shutGates(manager, gameIds);
  }

  /** Suspends those of the markets that are open; tells the game of each. Their games are shut already. */
  async suspend(
    manager: EntityManager,
    marketIds: readonly string[],
    by: Exclude<SuspendedBy, 'operator'>,
  ): Promise<string[]> {
    const [rows] = await manager.query<[{ game_id: string }[], number]>(
      `UPDATE markets SET status = 'suspended', suspended_by = $2, updated_at = clock_timestamp()
       WHERE id = ANY ($1::uuid[]) AND status = 'open' RETURNING game_id`,
      [marketIds, by],
    );
    return rows.map(({ game_id: gameId }) => gameId);
  }

  /** Takes prices away that their feed offers no longer; tells the game of each market that lost one. Their games are shut already. */
  async withdraw(manager: EntityManager, dropped: readonly DroppedOutcome[]): Promise<string[]> {
    if (dropped.length === 0) return [];
    const rows = await manager.query<{ game_id: string }[]>(
      'SELECT w.game_id FROM odds_withdraw($1::uuid[], $2::text[]) AS w (game_id)',
      [dropped.map(({ marketId }) => marketId), dropped.map(({ outcome }) => outcome)],
    );
    return rows.map(({ game_id: gameId }) => gameId);
  }

  /**
   * Games with open markets whose feed has not spoken of them for too long, at most `limit`: locked in the order of their ids, their
   * gates shut. What somebody else has in hand is left to the next time. Index: ix_games_of_feed.
   */
  async shutStale(
    manager: EntityManager,
    { liveSeconds, beforeStartSeconds }: { liveSeconds: number; beforeStartSeconds: number },
    limit: number,
  ): Promise<string[]> {
    const rows = await manager.query<{ id: string }[]>(
      `SELECT g.id FROM feeds f
       JOIN games g ON g.source = f.source AND g.status IN ('scheduled', 'in_progress')
       JOIN game_heads h ON h.game_id = g.id
       WHERE ${STALE} AND EXISTS (SELECT FROM markets m WHERE m.game_id = g.id AND m.status = 'open' AND m.of_feed)
       ORDER BY g.id LIMIT $3 FOR UPDATE OF g SKIP LOCKED`,
      [liveSeconds, beforeStartSeconds, limit],
    );
    const ids = rows.map(({ id }) => id);
    if (ids.length > 0) await this.shutGates(manager, ids);
    return ids;
  }

  /** Suspends the feed's markets of these games, unless it has spoken meanwhile; tells how many, and of which games. */
  async suspendStale(
    manager: EntityManager,
    gameIds: readonly string[],
    { liveSeconds, beforeStartSeconds }: { liveSeconds: number; beforeStartSeconds: number },
  ): Promise<{ markets: number; games: string[] }> {
    const [rows] = await manager.query<[{ game_id: string }[], number]>(
      `UPDATE markets m SET status = 'suspended', suspended_by = 'feed_stale', updated_at = clock_timestamp()
       FROM games g JOIN game_heads h ON h.game_id = g.id
       WHERE m.game_id = g.id AND g.id = ANY ($3::uuid[]) AND m.status = 'open' AND m.of_feed AND ${STALE}
       RETURNING m.game_id`,
      [liveSeconds, beforeStartSeconds, gameIds],
    );
    return { markets: rows.length, games: [...new Set(rows.map(({ game_id: gameId }) => gameId))] };
  }

  /** Gates, and heads after them, each in the order of the games' ids. */
  private async shutGates(manager: EntityManager, gameIds: readonly string[]): Promise<void> {
    await manager.query(
      'SELECT parley_gate_shut(id) FROM unnest((SELECT array_agg(id ORDER BY id) FROM unnest($1::uuid[]) AS id)) AS id',
      [gameIds],
    );
    await manager.query(
      'SELECT FROM game_heads WHERE game_id = ANY ($1::uuid[]) ORDER BY game_id FOR NO KEY UPDATE',
      [gameIds],
    );
  }
}
