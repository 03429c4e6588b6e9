import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { GameState } from '../domain/markets.js';

export interface ScheduledRow {
  readonly id: string;
  readonly external_id: string;
  readonly sport: string;
  readonly home_team: string;
  readonly away_team: string;
  readonly starts_at: Date;
  readonly told_starts_at: Date;
  readonly status: GameState;
  /** Cancelled, but not confirmed yet. */
  readonly revocable: boolean;
}

export interface StandRow {
  readonly id: string;
  readonly external_id: string;
  readonly sport: string;
  readonly status: GameState;
  readonly starts_at: Date;
  readonly home_score: number | null;
  readonly away_score: number | null;
  /** What the feed said last. */
  readonly score: string | null;
  readonly result: string | null;
}

/** What feeds have said of games: when they start, how they stand, how they ended. */
@Injectable()
export class FeedWordsRepository {
  constructor(private readonly database: Database) {}

  /** The games that are named, and all that start after `since`. Indexes: the key of source and id, ix_games_slate. */
  async scheduled(source: string, externalIds: readonly string[], since: Date): Promise<ScheduledRow[]> {
    return await this.database.query<ScheduledRow & object>(
      'feeds.scheduled',
      `SELECT id, external_id, sport, home_team, away_team, starts_at, status,
              coalesce(source_starts_at, first_starts_at) AS told_starts_at,
              status = 'cancelled' AND confirm_due_at IS NOT NULL AS revocable
       FROM games WHERE source = $1 AND (external_id = ANY ($2) OR starts_at > $3)`,
      [source, externalIds, since],
    );
  }

  /** What the feed has told of a game's start, which is where it is already. */
  async noteStart(manager: EntityManager, gameId: string, startsAt: Date): Promise<void> {
    await manager.query('UPDATE games SET source_starts_at = $2 WHERE id = $1', [gameId, startsAt]);
  }

  async stands(source: string, externalIds: readonly string[]): Promise<StandRow[]> {
    return await this.database.query<StandRow & object>(
      'feeds.stands',
      `SELECT g.id, g.external_id, g.sport, g.status, g.starts_at, g.home_score, g.away_score, w.score, w.result
       FROM games g LEFT JOIN feed_words w ON w.game_id = g.id WHERE g.source = $1 AND g.external_id = ANY ($2)`,
      [source, externalIds],
    );
  }

  /** What the feed said last of a game's score or result: the other stays. */
  async noteWord(gameId: string, word: { score?: string; result?: string }): Promise<void> {
    await this.database.query(
      'feeds.word',
      `INSERT INTO feed_words AS w (game_id, score, result) VALUES ($1, $2, $3)
       ON CONFLICT (game_id) DO UPDATE SET score = coalesce(excluded.score, w.score), result = coalesce(excluded.result, w.result)`,
      [gameId, word.score ?? null, word.result ?? null],
    );
  }
}
