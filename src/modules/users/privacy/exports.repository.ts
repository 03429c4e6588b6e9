import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';

export interface ExportRow {
  id: string;
  user_id: string;
  status: 'queued' | 'running' | 'ready';
  attempt: number;
  sections_done: number;
  sections_total: number | null;
  bytes: string;
  requested_at: Date;
  touched_at: Date;
  ready_at: Date | null;
  expires_at: Date | null;
}

/** What a worker has in hand: an export, and which attempt at it this is. */
export interface Attempt {
  exportId: string;
  attempt: number;
}

const LINKS_KEPT = 5;

@Injectable()
export class ExportsRepository {
  constructor(private readonly database: Database) {}

  /** Index: ix_data_exports_user. */
  async newestOf(manager: EntityManager, userId: string): Promise<ExportRow | null> {
    const [row] = await manager.query<ExportRow[]>(
      'SELECT * FROM data_exports WHERE user_id = $1 ORDER BY requested_at DESC LIMIT 1',
      [userId],
    );
    return row ?? null;
  }

  /** False when one is being made already, of those who ask at once for all but one. */
  async insert(manager: EntityManager, id: string, userId: string, now: Date): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `INSERT INTO data_exports (id, user_id, requested_at, touched_at) VALUES ($1, $2, $3, $3)
       ON CONFLICT (user_id) WHERE status <> 'ready' DO NOTHING RETURNING 1`,
      [id, userId, now],
    );
    return rows.length > 0;
  }

  /** Whether an unfinished one has shown no sign of life since then, and is given another chance by this call. */
  async revive(manager: EntityManager, id: string, since: Date, now: Date): Promise<boolean> {
    const [, changed] = await manager.query<[unknown[], number]>(
      "UPDATE data_exports SET touched_at = $3 WHERE id = $1 AND status <> 'ready' AND touched_at < $2",
      [id, since, now],
    );
    return changed > 0;
  }

  /** A new link; the oldest beyond a few stop working. */
  async addLink(
    manager: EntityManager,
    link: { exportId: string; tokenHash: Buffer; sessionId: string; now: Date },
  ): Promise<void> {
    const { exportId, tokenHash, sessionId, now } = link;
    await manager.query(
      'INSERT INTO data_export_links (token_hash, export_id, session_id, created_at) VALUES ($1, $2, $3, $4)',
      [tokenHash, exportId, sessionId, now],
    );
    await manager.query(
      `DELETE FROM data_export_links WHERE export_id = $1 AND token_hash NOT IN (
         SELECT token_hash FROM data_export_links WHERE export_id = $1
         ORDER BY created_at DESC, token_hash = $2 DESC LIMIT ${LINKS_KEPT})`,
      [exportId, tokenHash],
    );
  }

  /** Index: ix_data_export_links_session. */
  async removeLinksOf(manager: EntityManager, sessionIds: readonly string[]): Promise<void> {
    await manager.query('DELETE FROM data_export_links WHERE session_id = ANY ($1::uuid[])', [sessionIds]);
  }

  /** Begins the next attempt, which ends those before it; null when there is nothing to write any more. */
  async begin(exportId: string, now: Date): Promise<{ userId: string; attempt: number } | null> {
    const [row] = await this.database.query<{ user_id: string; attempt: number }>(
      'exports.begin',
      `UPDATE data_exports SET attempt = attempt + 1, status = 'running', sections_done = 0, bytes = 0, touched_at = $2
       WHERE id = $1 AND status <> 'ready' RETURNING user_id, attempt`,
      [exportId, now],
    );
    if (!row) return null;
    await this.database.query(
      'exports.drop_attempts',
      'DELETE FROM data_export_chunks WHERE export_id = $1 AND attempt < $2',
      [exportId, row.attempt],
    );
    return { userId: row.user_id, attempt: row.attempt };
  }

  /** False when another attempt has taken over, or the export is gone. */
  async addChunk(
    { exportId, attempt }: Attempt,
    chunk: { number: number; data: Buffer; bytes: number; done: number; total: number; now: Date },
  ): Promise<boolean> {
    const rows = await this.database.query(
      'exports.add_chunk',
      `WITH mine AS (
         UPDATE data_exports SET bytes = $5, sections_done = $6, sections_total = $7, touched_at = $8
         WHERE id = $1 AND attempt = $2 AND status = 'running' RETURNING id, attempt)
       INSERT INTO data_export_chunks (export_id, attempt, number, data) SELECT id, attempt, $3, $4 FROM mine
       RETURNING 1`,
      [exportId, attempt, chunk.number, chunk.data, chunk.bytes, chunk.done, chunk.total, chunk.now],
    );
    return rows.length > 0;
  }

  /** False when another attempt has taken over, or the export is gone. */
  async finish(
    manager: EntityManager,
    { exportId, attempt }: Attempt,
    times: { now: Date; expiresAt: Date },
  ): Promise<boolean> {
    const [, changed] = await manager.query<[unknown[], number]>(
      `UPDATE data_exports SET status = 'ready', sections_done = sections_total, ready_at = $3, expires_at = $4,
                               touched_at = $3
       WHERE id = $1 AND attempt = $2 AND status = 'running'`,
      [exportId, attempt, times.now, times.expiresAt],
    );
    return changed > 0;
  }

  /** The finished export that a link leads to, while it lasts. */
  async findByLink(
    exportId: string,
    tokenHash: Buffer,
    { now, linkedSince }: { now: Date; linkedSince: Date },
  ): Promise<ExportRow | null> {
    const [row] = await this.database.query<ExportRow>(
      'exports.by_link',
      `SELECT e.* FROM data_export_links l JOIN data_exports e ON e.id = l.export_id
       WHERE l.token_hash = $2 AND l.export_id = $1 AND l.created_at > $4 AND e.status = 'ready' AND e.expires_at > $3`,
      [exportId, tokenHash, now, linkedSince],
    );
    return row ?? null;
  }

  async readChunk({ exportId, attempt }: Attempt, number: number): Promise<Buffer | null> {
    const [row] = await this.database.query<{ data: Buffer }>(
      'exports.chunk',
      'SELECT data FROM data_export_chunks WHERE export_id = $1 AND attempt = $2 AND number = $3',
      [exportId, attempt, number],
    );
    return row?.data ?? null;
  }

  /** Forgets at most `limit` pieces of expired exports, and of attempts that were given up; how many. */
  async forgetChunks(now: Date, limit: number): Promise<number> {
    const rows = await this.database.query(
      'exports.forget_chunks',
      `DELETE FROM data_export_chunks WHERE ctid = ANY (ARRAY(
         SELECT c.ctid FROM data_exports e JOIN data_export_chunks c ON c.export_id = e.id
         WHERE e.expires_at <= $2 OR c.attempt < e.attempt LIMIT $1))
       RETURNING 1`,
      [limit, now],
    );
    return rows.length;
  }

  /** Forgets at most `limit` expired exports that have no piece left; how many. Index: ix_data_exports_expiry. */
  async forgetExpired(now: Date, limit: number): Promise<number> {
    const rows = await this.database.query(
      'exports.forget',
      `DELETE FROM data_exports WHERE id = ANY (ARRAY(
         SELECT id FROM data_exports e WHERE expires_at <= $2
           AND NOT EXISTS (SELECT FROM data_export_chunks c WHERE c.export_id = e.id) LIMIT $1))
       RETURNING 1`,
      [limit, now],
    );
    return rows.length;
  }
}
