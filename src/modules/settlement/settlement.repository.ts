import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { SettlementKind, Verdict } from './domain/verdicts.js';

export interface SettlementRow {
  id: string;
  game_id: string;
  week_id: number;
  result_version: number;
  kind: SettlementKind;
  status: 'running' | 'done' | 'superseded';
  starts_at: Date;
  market_ids: string[];
  grades: Verdict[];
  chunks_total: number;
  created_at: Date;
  completed_at: Date | null;
}

/** A settlement with how far it is. Progress is of its chunks. */
export interface SettlementProgressRow extends Omit<SettlementRow, 'market_ids' | 'grades' | 'starts_at'> {
  chunks_done: number;
  bets_done: string;
  bets_total: string;
}

/** A chunk that has failed and is not done. */
export interface FailedChunkRow {
  number: number;
  attempts: number;
  error: string;
}

interface ChunkRow {
  number: number;
  pool_ids: string[];
  bets: number;
}

@Injectable()
export class SettlementRepository {
  constructor(private readonly database: Database) {}

  /** False when this version of the game's result has its settlement already. */
  async insert(manager: EntityManager, row: SettlementRow): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `INSERT INTO settlements (id, game_id, week_id, result_version, kind, status, starts_at, market_ids, grades,
                                chunks_total, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
       ON CONFLICT ON CONSTRAINT ux_settlements_game_version DO NOTHING RETURNING 1`,
      [
        row.id,
        row.game_id,
        row.week_id,
        row.result_version,
        row.kind,
        row.status,
        row.starts_at,
        row.market_ids,
        JSON.stringify(row.grades),
        row.chunks_total,
        row.created_at,
      ],
    );
    return rows.length > 0;
  }

  async insertChunks(manager: EntityManager, settlementId: string, chunks: ChunkRow[]): Promise<void> {
    for (const chunk of chunks)
      await manager.query(
        'INSERT INTO settlement_chunks (settlement_id, number, pool_ids, bets) VALUES ($1, $2, $3, $4)',
        [settlementId, chunk.number, chunk.pool_ids, chunk.bets],
      );
  }

  /** Ends settlements by older versions of the result. Waits for chunks of theirs that are being graded. */
  async supersede(manager: EntityManager, gameId: string, version: number): Promise<void> {
    await manager.query(
      `UPDATE settlements SET status = 'superseded'
       WHERE game_id = $1 AND result_version < $2 AND status = 'running'`,
      [gameId, version],
    );
  }

  async hasEarlier(manager: EntityManager, gameId: string, version: number): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      'SELECT 1 FROM settlements WHERE game_id = $1 AND result_version < $2 LIMIT 1',
      [gameId, version],
    );
    return rows.length > 0;
  }

  /** What was said last of the game's outcomes in a week, before this version; null when nothing was. */
  async findGradesBefore(
    manager: EntityManager,
    { game_id, week_id, result_version }: Pick<SettlementRow, 'game_id' | 'week_id' | 'result_version'>,
  ): Promise<Verdict[] | null> {
    const [row] = await manager.query<{ grades: Verdict[] }[]>(
      `SELECT grades FROM settlements WHERE game_id = $1 AND week_id = $2 AND result_version < $3
       ORDER BY result_version DESC LIMIT 1`,
      [game_id, week_id, result_version],
    );
    return row?.grades ?? null;
  }

  /** The weeks that earlier versions of the game's result were settled in. */
  async weeksOfGame(manager: EntityManager, gameId: string): Promise<number[]> {
    const rows = await manager.query<{ week_id: number }[]>(
      'SELECT DISTINCT week_id FROM settlements WHERE game_id = $1',
      [gameId],
    );
    return rows.map((row) => row.week_id);
  }

  /** The games that were settled in a week. Index: ix_settlements_week. */
  async gamesOfWeek(manager: EntityManager, weekId: number): Promise<string[]> {
    const rows = await manager.query<{ game_id: string }[]>(
      'SELECT DISTINCT game_id FROM settlements WHERE week_id = $1',
      [weekId],
    );
    return rows.map((row) => row.game_id);
  }

  /** How many of these versions of results have no settlement yet. Index: ux_settlements_game_version. */
  async countUnstarted(
    manager: EntityManager,
    results: readonly { id: string; version: number }[],
  ): Promise<number> {
    const [row] = await manager.query<{ n: string }[]>(
      `SELECT count(*) AS n FROM unnest($1::uuid[], $2::int[]) AS r (game_id, version)
       WHERE r.version > 0 AND NOT EXISTS (
         SELECT FROM settlements s WHERE s.game_id = r.game_id AND s.result_version = r.version)`,
      [results.map(({ id }) => id), results.map(({ version }) => version)],
    );
    return Number(row?.n ?? 0);
  }

  async find(id: string): Promise<SettlementRow | null> {
    const [row] = await this.database.query<SettlementRow>(
      'settlements.one',
      'SELECT * FROM settlements WHERE id = $1',
      [id],
    );
    return row ?? null;
  }

  /** Grades a chunk nobody else works on; how many bets changed, or null when there is none left. See the migration. */
  async gradeChunk(manager: EntityManager, settlementId: string, now: Date): Promise<number | null> {
    const [row] = await manager.query<{ changed: number | null }[]>(
      'SELECT settlement_grade_chunk($1, $2) AS changed',
      [settlementId, now],
    );
    return row?.changed ?? null;
  }

  /** Marks a settlement whose chunks are all done; false when some are not, or another worker was first. */
  async finish(manager: EntityManager, id: string, now: Date): Promise<boolean> {
    const [, count] = await manager.query<[unknown[], number]>(
      `UPDATE settlements s SET status = 'done', completed_at = $2
       WHERE id = $1 AND status = 'running'
         AND NOT EXISTS (SELECT FROM settlement_chunks c WHERE c.settlement_id = s.id AND c.done_at IS NULL)`,
      [id, now],
    );
    return count === 1;
  }

  /** Results that may be graded, recorded before that time, that have no settlement. Indexes: ux_settlements_game_version. */
  async findUnstarted(recordedBefore: Date): Promise<{ id: string; version: number }[]> {
    return await this.database.query<{ id: string; version: number }>(
      'settlements.unstarted',
      `SELECT g.id, g.result_version AS version FROM games g
       WHERE g.result_version > 0 AND g.updated_at < $1 AND g.confirm_due_at IS NULL
         AND NOT EXISTS (SELECT FROM settlements s WHERE s.game_id = g.id AND s.result_version = g.result_version)
       ORDER BY g.id LIMIT 100`,
      [recordedBefore],
    );
  }

  /** Settlements that have been running for a while: their jobs may have been lost with their Redis. */
  async findStuck(olderThan: Date): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      'settlements.stuck',
      "SELECT id FROM settlements WHERE status = 'running' AND created_at < $1 ORDER BY id LIMIT 100",
      [olderThan],
    );
    return rows.map((row) => row.id);
  }

  /** Weeks that are closed and not settled, and those with bets graded since that time. */
  async findWeeksToEnd(gradedSince: Date): Promise<number[]> {
    const rows = await this.database.query<{ id: number }>(
      'settlements.weeks_to_end',
      `SELECT id FROM weeks WHERE status = 'closed'
       UNION SELECT week_id FROM settlements WHERE completed_at > $1 ORDER BY id`,
      [gradedSince],
    );
    return rows.map((row) => row.id);
  }

  async countRunning(manager: EntityManager, weekId: number): Promise<number> {
    const [row] = await manager.query<{ n: string }[]>(
      "SELECT count(*) AS n FROM settlements WHERE week_id = $1 AND status = 'running'",
      [weekId],
    );
    return Number(row?.n ?? 0);
  }

  /** Whether one of these weeks is settled. */
  async anySettled(manager: EntityManager, weekIds: readonly number[]): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      "SELECT FROM weeks WHERE id = ANY ($1) AND status = 'settled' LIMIT 1",
      [weekIds],
    );
    return rows.length > 0;
  }

  /** The last error of a chunk, for operators; a chunk that is done meanwhile has none. */
  async noteFailure(settlementId: string, number: number, error: string): Promise<void> {
    await this.database.query(
      'settlements.chunk_failed',
      `UPDATE settlement_chunks SET attempts = attempts + 1, error = $3
       WHERE settlement_id = $1 AND number = $2 AND done_at IS NULL`,
      [settlementId, number, error],
    );
  }

  /** Chunks that have failed and are not done, by number, up to `limit`. */
  async failedChunks(settlementId: string, limit: number): Promise<FailedChunkRow[]> {
    return await this.database.query<FailedChunkRow>(
      'settlements.failed_chunks',
      `SELECT number, attempts, error FROM settlement_chunks
       WHERE settlement_id = $1 AND done_at IS NULL AND error IS NOT NULL ORDER BY number LIMIT $2`,
      [settlementId, limit],
    );
  }

  async findProgress(id: string): Promise<SettlementProgressRow | null> {
    const [row] = await this.database.query<SettlementProgressRow>(
      'settlements.progress',
      `SELECT ${PROGRESS} WHERE s.id = $1`,
      [id],
    );
    return row ?? null;
  }

  /** Newest first. Indexes: ux_settlements_game_version, ix_settlements_status, primary key. */
  async list(filter: {
    gameId: string | null;
    status: string | null;
    before: string | null;
    limit: number;
  }): Promise<SettlementProgressRow[]> {
    return await this.database.query<SettlementProgressRow>(
      'settlements.list',
      `SELECT ${PROGRESS}
       WHERE ($1::uuid IS NULL OR s.game_id = $1) AND ($2::text IS NULL OR s.status = $2) AND ($3::uuid IS NULL OR s.id < $3)
       ORDER BY s.id DESC LIMIT $4`,
      [filter.gameId, filter.status, filter.before, filter.limit],
    );
  }
}

const PROGRESS = `s.id, s.game_id, s.week_id, s.result_version, s.kind, s.status, s.chunks_total, s.created_at, s.completed_at,
         c.chunks_done, c.bets_done, c.bets_total
       FROM settlements s CROSS JOIN LATERAL (
         SELECT count(done_at)::int AS chunks_done, coalesce(sum(bets) FILTER (WHERE done_at IS NOT NULL), 0) AS bets_done,
                coalesce(sum(bets), 0) AS bets_total
         FROM settlement_chunks WHERE settlement_id = s.id) c`;
