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
       ON CONFLICT (kind, subject) DO UPDATE SET due_at = excluded.due_at, fired_at = NULL
       WHERE d.due_at <> excluded.due_at`,
      [kind, deadlines.map(({ subject }) => subject), deadlines.map(({ dueAt }) => dueAt)],
    );
  }

  async remove(manager: EntityManager, kind: string, subject: string): Promise<void> {
    await manager.query('DELETE FROM deadlines WHERE kind = $1 AND subject = $2', [kind, subject]);
  }

  /** Moves what is due by the Clock into the outbox, in one statement. Index: ix_deadlines_due. */
  async fireDue(eventIds: string[]): Promise<number> {
    const rows = await this.database.query<{ kind: string }>(
      'deadlines.fire',
      `WITH due AS (
         SELECT kind, subject, due_at, row_number() OVER (ORDER BY due_at, kind, subject) AS n FROM (
           SELECT kind, subject, due_at FROM deadlines
           WHERE fired_at IS NULL AND due_at <= (SELECT parley_now())
           ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED) locked),
       fired AS (
         UPDATE deadlines d SET fired_at = parley_now() FROM due
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
