import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';

export interface KycEventRow {
  readonly id: string;
  readonly provider: string;
  readonly provider_reference: string;
  readonly case_id: string | null;
}

/**
 * That a provider has told of a case's session: which session, and the event's id and type, never what the event said of the person.
 * A row is written once per event of a provider, in the transaction that publishes the event's job; the worker reads how the session
 * stands from the provider.
 */
@Injectable()
export class KycEventsRepository {
  constructor(private readonly database: Database) {}

  /** False when it is here already. */
  async insert(
    manager: EntityManager,
    row: KycEventRow & { eventId: string; type: string; now: Date },
  ): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `INSERT INTO kyc_provider_events (id, provider, event_id, type, provider_reference, case_id, received_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ON CONSTRAINT ux_kyc_provider_events_event DO NOTHING RETURNING 1`,
      [row.id, row.provider, row.eventId, row.type, row.provider_reference, row.case_id, row.now],
    );
    return rows.length > 0;
  }

  async find(id: string): Promise<KycEventRow | null> {
    const [row] = await this.database.query<KycEventRow>(
      'kyc_provider_events.find',
      'SELECT id, provider, provider_reference, case_id FROM kyc_provider_events WHERE id = $1',
      [id],
    );
    return row ?? null;
  }

  /** True when nobody has applied it yet; nobody else can until the transaction ends. */
  async lockUnapplied(manager: EntityManager, id: string): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      'SELECT 1 FROM kyc_provider_events WHERE id = $1 AND applied_at IS NULL FOR UPDATE',
      [id],
    );
    return rows.length > 0;
  }

  async finish(
    manager: EntityManager,
    id: string,
    outcome: 'applied' | 'stale' | 'unknown',
    now: Date,
  ): Promise<void> {
    await manager.query('UPDATE kyc_provider_events SET outcome = $2, applied_at = $3 WHERE id = $1', [
      id,
      outcome,
      now,
    ]);
  }

  /** Received before that time and not applied: their jobs may have been lost. Index: ix_kyc_provider_events_waiting. */
  async waitingSince(before: Date, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      'kyc_provider_events.waiting',
      'SELECT id FROM kyc_provider_events WHERE applied_at IS NULL AND received_at < $1 ORDER BY received_at LIMIT $2',
      [before, limit],
    );
    return rows.map(({ id }) => id);
  }
}
