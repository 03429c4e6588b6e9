import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../database/database.js';

export interface OutboxRow {
  id: string;
  topic: string;
  payload: object;
  request_id: string | null;
}

@Injectable()
export class OutboxRepository {
  constructor(private readonly database: Database) {}

  async insert(manager: EntityManager, row: OutboxRow): Promise<void> {
    await manager.query('INSERT INTO outbox (id, topic, payload, request_id) VALUES ($1, $2, $3, $4)', [
      row.id,
      row.topic,
      JSON.stringify(row.payload),
      row.request_id,
    ]);
  }

  /** The oldest rows nobody else holds, locked until the transaction ends. Index: primary key (time-ordered ids). */
  async take(manager: EntityManager, limit: number): Promise<OutboxRow[]> {
    return await manager.query<OutboxRow[]>(
      'SELECT id, topic, payload, request_id FROM outbox ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED',
      [limit],
    );
  }

  async remove(manager: EntityManager, ids: string[]): Promise<void> {
    await manager.query('DELETE FROM outbox WHERE id = ANY ($1)', [ids]);
  }

  /** Seconds that the oldest event has waited, and how many wait. */
  async lag(): Promise<{ seconds: number; waiting: number }> {
    const [row] = await this.database.query<{ seconds: number | null; waiting: string }>(
      'outbox.lag',
      'SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float8 AS seconds, count(*) AS waiting FROM outbox',
    );
    return { seconds: row?.seconds ?? 0, waiting: Number(row?.waiting ?? 0) };
  }

  /** Notes that this consumer has had this event; false when it had it before. */
  async markProcessed(manager: EntityManager, consumer: string, eventId: string): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      'INSERT INTO processed_events (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1',
      [consumer, eventId],
    );
    return rows.length > 0;
  }

  /** Forgets at most `limit` events processed more than `days` ago; how many. Index: ix_processed_events_cleanup. */
  async forgetProcessed(days: number, limit: number): Promise<number> {
    const rows = await this.database.query(
      'outbox.forget_processed',
      `DELETE FROM processed_events WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM processed_events WHERE processed_at < now() - make_interval(days => $1) LIMIT $2))
       RETURNING 1`,
      [days, limit],
    );
    return rows.length;
  }
}
