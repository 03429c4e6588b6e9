import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import { newId } from '../../../platform/database/ids.js';
import type { Doubt, QuarantineKind, QuarantineReason, QuarantineState } from './feeds.types.js';

export interface QuarantineRow {
  readonly id: string;
  readonly source: string;
  readonly kind: QuarantineKind;
  readonly external_id: string;
  readonly game_id: string | null;
  readonly reason: QuarantineReason;
  readonly details: Record<string, unknown>;
  readonly first_seen_at: Date;
  readonly last_seen_at: Date;
  readonly times: number;
  readonly status: QuarantineState;
  readonly decided_by: string | null;
  readonly decided_at: Date | null;
  readonly decision_note: string | null;
}

/** What feeds said and is not believed. */
@Injectable()
export class FeedQuarantineRepository {
  constructor(private readonly database: Database) {}

  /**
   * Something that is doubted already is counted, and its newest details kept. What is new of a game locks its row a little, for the
   * reference to it: in the order of the games' ids, as whoever has several in hand. Index: ux_feed_quarantine_open.
   */
  async note(manager: EntityManager, source: string, doubts: readonly Doubt[]): Promise<void> {
    await manager.query(
      `INSERT INTO feed_quarantine AS q (id, source, kind, external_id, game_id, reason, details, first_seen_at, last_seen_at)
       SELECT id, $1, kind, "externalId", "gameId", reason, details, parley_now(), parley_now()
       FROM jsonb_to_recordset($2::jsonb) AS d (id uuid, kind text, "externalId" text, "gameId" uuid, reason text, details jsonb)
       ORDER BY "gameId", kind, "externalId", reason
       ON CONFLICT (source, kind, external_id, reason) WHERE status = 'open' DO UPDATE
         SET last_seen_at = excluded.last_seen_at, times = q.times + 1, details = excluded.details,
             game_id = coalesce(excluded.game_id, q.game_id)`,
      [source, JSON.stringify(doubts.map((doubt) => ({ ...doubt, id: newId() })))],
    );
  }

  /** Oldest first. Index: ix_feed_quarantine_list. */
  async list(
    filter: { status: QuarantineState; source: string | null; after: string | null },
    limit: number,
  ): Promise<QuarantineRow[]> {
    return await this.database.query<QuarantineRow & object>(
      'feed_quarantine.list',
      `SELECT * FROM feed_quarantine WHERE status = $1 AND ($2::text IS NULL OR source = $2) AND ($3::uuid IS NULL OR id > $3)
       ORDER BY id LIMIT $4`,
      [filter.status, filter.source, filter.after, limit],
    );
  }

  async find(id: string): Promise<QuarantineRow | null> {
    const [row] = await this.database.query<QuarantineRow & object>(
      'feed_quarantine.one',
      'SELECT * FROM feed_quarantine WHERE id = $1',
      [id],
    );
    return row ?? null;
  }

  /** One to be decided. Null when it is not open any more: of several who decide at once the first one does. */
  async lockOpen(manager: EntityManager, id: string): Promise<QuarantineRow | null> {
    const [row] = await manager.query<QuarantineRow[]>(
      "SELECT * FROM feed_quarantine WHERE id = $1 AND status = 'open' FOR NO KEY UPDATE",
      [id],
    );
    return row ?? null;
  }

  /** It is locked already. */
  async decide(
    manager: EntityManager,
    id: string,
    decision: { status: QuarantineState; by: string; note: string; now: Date },
  ): Promise<void> {
    await manager.query(
      `UPDATE feed_quarantine SET status = $2, decided_by = $3, decision_note = $4, decided_at = $5
       WHERE id = $1 AND status = 'open'`,
      [id, decision.status, decision.by, decision.note, decision.now],
    );
  }
}
