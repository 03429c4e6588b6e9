import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { StoredEvent } from './event-content.js';
import type { EventOutcome } from './payments.types.js';

export interface ProviderEventRow {
  readonly id: string;
  readonly provider: string;
  readonly content: StoredEvent;
  readonly received_at: Date;
}

const COLUMNS = 'id, provider, content, received_at';

/** What providers have told, stored before it is believed to have any effect. */
@Injectable()
export class ProviderEventsRepository {
  constructor(private readonly database: Database) {}

  /** False when this event of the provider is here already. */
  async insert(
    manager: EntityManager,
    row: ProviderEventRow & { eventId: string; rawBody: Buffer },
  ): Promise<boolean> {
    const { content } = row;
    const rows = await manager.query<unknown[]>(
      `INSERT INTO provider_events (id, provider, event_id, type, about, provider_reference, content, raw_body, received_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT ON CONSTRAINT ux_provider_events_event DO NOTHING RETURNING 1`,
      [
        row.id,
        row.provider,
        row.eventId,
        content.type,
        content.about,
        content.change?.subscriptionReference ?? content.providerReference,
        JSON.stringify(content),
        row.rawBody,
        row.received_at,
      ],
    );
    return rows.length > 0;
  }

  async find(id: string): Promise<ProviderEventRow | null> {
    const [row] = await this.database.query<ProviderEventRow>(
      'provider_events.one',
      `SELECT ${COLUMNS} FROM provider_events WHERE id = $1`,
      [id],
    );
    return row ?? null;
  }

  /** True when nobody has applied it yet; nobody else can until the transaction ends. */
  async lockUnapplied(manager: EntityManager, id: string): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      'SELECT 1 FROM provider_events WHERE id = $1 AND applied_at IS NULL FOR UPDATE',
      [id],
    );
    return rows.length > 0;
  }

  /** What a body says of somebody is found again by the payment; one that is about none is of no use once it is applied. */
  async finish(
    manager: EntityManager,
    id: string,
    done: { outcome: EventOutcome; paymentId: string | null; now: Date },
  ): Promise<void> {
    await manager.query(
      `UPDATE provider_events
       SET outcome = $2, payment_id = $3, applied_at = $4,
           raw_body = CASE WHEN $3::uuid IS NOT NULL OR $2 NOT IN ('applied', 'stale') THEN raw_body END
       WHERE id = $1`,
      [id, done.outcome, done.paymentId, done.now],
    );
  }

  /** Wakes what was told of a payment, or of what it has begun, before it was known; which. Index: ix_provider_events_unknown. */
  async wakeUnknown(manager: EntityManager, paymentId: string): Promise<string[]> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      `UPDATE provider_events e SET outcome = NULL, applied_at = NULL
       FROM (SELECT provider, reference FROM payment_references WHERE payment_id = $1
             UNION SELECT s.provider, s.provider_reference FROM payments p JOIN subscriptions s ON s.id = p.subscription_id
             WHERE p.id = $1) r
       WHERE e.outcome = 'unknown' AND e.provider = r.provider AND e.provider_reference = r.reference RETURNING e.id`,
      [paymentId],
    );
    return rows.map((row) => row.id);
  }

  /** Those that were stored as unknown while what they are about was being written down. Index: ix_provider_events_unknown. */
  async wakeKnown(limit: number): Promise<number> {
    const rows = await this.database.query(
      'provider_events.wake_known',
      `UPDATE provider_events SET outcome = NULL, applied_at = NULL WHERE id = ANY (ARRAY(
         SELECT e.id FROM provider_events e
         LEFT JOIN payment_references r ON r.provider = e.provider AND r.reference = e.provider_reference
         LEFT JOIN payments p ON p.id = r.payment_id
         LEFT JOIN subscriptions s ON s.provider = e.provider AND s.provider_reference = e.provider_reference
         WHERE e.outcome = 'unknown' AND (s.id IS NOT NULL AND e.about = 'subscription'
           OR p.id IS NOT NULL AND (e.about = 'payment' OR e.about = 'dispute' AND p.confirmed_at IS NOT NULL))
         LIMIT $1)) RETURNING 1`,
      [limit],
    );
    return rows.length;
  }

  /**
   * Received before that time and not applied: their jobs may have been lost. Any of them, so that those which fail each time
   * hold up no others. Index: ix_provider_events_waiting.
   */
  async waitingSince(before: Date, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      'provider_events.waiting',
      'SELECT id FROM provider_events WHERE applied_at IS NULL AND received_at < $1 ORDER BY random() LIMIT $2',
      [before, limit],
    );
    return rows.map((row) => row.id);
  }

  /** Blanks at most `limit` bodies received before that time; how many. Index: ix_provider_events_cleanup. */
  async forgetBodies(before: Date, limit: number): Promise<number> {
    const rows = await this.database.query(
      'provider_events.forget_bodies',
      `UPDATE provider_events SET raw_body = NULL WHERE id = ANY (ARRAY(
         SELECT id FROM provider_events WHERE raw_body IS NOT NULL AND received_at < $1 LIMIT $2)) RETURNING 1`,
      [before, limit],
    );
    return rows.length;
  }
}
