import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../database/database.js';

export interface Deadline {
  /** What it is about: an id, or a week. */
  subject: string;
  dueAt: Date;
}

@Injectable()
export class DeadlinesRepository {
  constructor(private readonly database: Database) {}

  /** Sets or moves deadlines; a moved one fires again, one that stays as it is does not. */
  async upsert(manager: EntityManager, kind: string, deadlines: readonly Deadline[]): Promise<void> {
    await manager.query(
      `INSERT INTO deadlines AS d (kind, subject, due_at)
       SELECT $1, subject, due_at FROM unnest($2::text[], $3::timestamptz[]) AS given (subject, due_at) ORDER BY subject
       ON CONFLICT (kind, subject) DO UPDATE SET due_at = excluded.due_at, fired_at = NULL, done_at = NULL
       WHERE d.due_at <> excluded.due_at`,
      [kind, deadlines.map(({ subject }) => subject), deadlines.map(({ dueAt }) => dueAt)],
    );
  }

  /** Notes that what was due has been done, unless the deadline has moved meanwhile. */
  async complete(kind: string, subject: string, dueAt: string): Promise<void> {
    await this.database.query(
      'deadlines.complete',
      'UPDATE deadlines SET done_at = clock_timestamp() WHERE kind = $1 AND subject = $2 AND due_at = $3',
      [kind, subject, dueAt],
    );
  }

  /** Forgets at most `limit` deadlines done more than `days` ago; how many. Index: ix_deadlines_cleanup. */
  async forgetDone(days: number, limit: number): Promise<number> {
    const rows = await this.database.query(
      'deadlines.forget',
      `DELETE FROM deadlines WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM deadlines WHERE done_at < now() - make_interval(days => $1) LIMIT $2))
       AND done_at IS NOT NULL RETURNING 1`,
      [days, limit],
    );
    return rows.length;
  }

  /**
   * Moves what is due by the Clock into the outbox, in one statement; what was fired and is still not done after a
   * while, again, for its job may have been lost with its Redis. Index: ix_deadlines_due.
   */
  async fireDue(eventIds: string[]): Promise<number> {
    const rows = await this.database.query<{ kind: string }>(
      'deadlines.fire',
      `WITH due AS (
         SELECT kind, subject, due_at, row_number() OVER (ORDER BY due_at, kind, subject) AS n FROM (
           SELECT kind, subject, due_at FROM deadlines
           WHERE done_at IS NULL AND (fired_at IS NULL OR fired_at < clock_timestamp() - interval '2 minutes')
             AND due_at <= (SELECT parley_now())
           ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED) locked),
       fired AS (
         UPDATE deadlines d SET fired_at = clock_timestamp() FROM due
         WHERE d.kind = due.kind AND d.subject = due.subject),
       told AS (
         INSERT INTO outbox (id, topic, payload)
         SELECT ($1::uuid[])[n], 'deadline.' || kind, jsonb_build_object('subject', subject, 'dueAt', due_at) FROM due)
       SELECT kind FROM due`,
      [eventIds, eventIds.length],
    );
    return rows.length;
  }
}
