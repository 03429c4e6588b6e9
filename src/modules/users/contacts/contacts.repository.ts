import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { ContactState } from '../domain/contact-machine.js';
import type { PersonDto } from '../dto/person.dto.js';
import type { ListPosition } from '../social/list-position.js';

type StoredState = Exclude<ContactState, 'removed'>;

export interface Contact {
  id: string;
  lowId: string;
  highId: string;
  requesterId: string;
  status: StoredState;
  requestedAt: Date;
  answeredAt: Date | null;
}

export interface ContactRow {
  id: string;
  requesterId: string;
  status: StoredState;
  requestedAt: Date;
  answeredAt: Date | null;
  user: PersonDto;
}

const COLUMNS = `id, low_id AS "lowId", high_id AS "highId", requester_id AS "requesterId", status,
  requested_at AS "requestedAt", answered_at AS "answeredAt"`;
/** $1 the viewer; k the contact, u the other. */
const ROW = `k.id, k.requester_id AS "requesterId", k.status, k.requested_at AS "requestedAt", k.answered_at AS "answeredAt",
  json_build_object('id', u.id, 'handle', u.handle, 'displayName', u.display_name, 'avatarUrl', p.avatar_url) AS user`;
const SHOWN = `u.status = 'active' AND u.closing_at IS NULL
  AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = $1 AND b.blocked_id = u.id)
  AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = u.id AND b.blocked_id = $1)`;

/** One row a pair; it changes only while the pair is held (RelationsService). */
@Injectable()
export class ContactsRepository {
  constructor(private readonly database: Database) {}

  /** Index: ux_contacts_pair. */
  async findOfPair(manager: EntityManager, userId: string, otherId: string): Promise<Contact | null> {
    const [row] = await manager.query<Contact[]>(
      `SELECT ${COLUMNS} FROM contacts
       WHERE low_id = least($1::uuid, $2::uuid) AND high_id = greatest($1::uuid, $2::uuid)`,
      [userId, otherId],
    );
    return row ?? null;
  }

  /** Only to those whose contact it is. Index: primary key. */
  async findOf(manager: EntityManager, userId: string, id: string): Promise<Contact | null> {
    const [row] = await manager.query<Contact[]>(
      `SELECT ${COLUMNS} FROM contacts WHERE id = $2 AND $1::uuid IN (low_id, high_id)`,
      [userId, id],
    );
    return row ?? null;
  }

  async insert(
    manager: EntityManager,
    contact: { id: string; requesterId: string; addresseeId: string; at: Date },
  ): Promise<void> {
    await manager.query(
      `INSERT INTO contacts (id, low_id, high_id, requester_id, status, requested_at)
       VALUES ($1, least($2::uuid, $3::uuid), greatest($2::uuid, $3::uuid), $2, 'pending', $4)`,
      [contact.id, contact.requesterId, contact.addresseeId, contact.at],
    );
  }

  /** Whether it was in one of those states. */
  async answer(
    manager: EntityManager,
    id: string,
    from: readonly ContactState[],
    to: 'accepted' | 'declined',
    at: Date,
  ): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `WITH moved AS (UPDATE contacts SET status = $3, answered_at = $4 WHERE id = $1 AND status = ANY ($2) RETURNING id)
       SELECT id FROM moved`,
      [id, from, to, at],
    );
    return rows.length > 0;
  }

  /** Whether it was in one of those states. */
  async askAgain(
    manager: EntityManager,
    id: string,
    from: readonly ContactState[],
    requesterId: string,
    at: Date,
  ): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `WITH moved AS (
         UPDATE contacts SET status = 'pending', requester_id = $3, requested_at = $4, answered_at = NULL
         WHERE id = $1 AND status = ANY ($2) RETURNING id)
       SELECT id FROM moved`,
      [id, from, requesterId, at],
    );
    return rows.length > 0;
  }

  /** Whether it was in one of those states. */
  async removeOfPair(
    manager: EntityManager,
    userId: string,
    otherId: string,
    from: readonly ContactState[],
  ): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `WITH gone AS (
         DELETE FROM contacts WHERE low_id = least($1::uuid, $2::uuid) AND high_id = greatest($1::uuid, $2::uuid)
           AND status = ANY ($3) RETURNING id)
       SELECT id FROM gone`,
      [userId, otherId, from],
    );
    return rows.length > 0;
  }

  async getShown(manager: EntityManager, userId: string, id: string): Promise<ContactRow> {
    const [row] = await manager.query<ContactRow[]>(
      `SELECT ${ROW} FROM contacts k
       JOIN users u ON u.id = CASE WHEN k.low_id = $1 THEN k.high_id ELSE k.low_id END
       JOIN profiles p ON p.user_id = u.id WHERE k.id = $2`,
      [userId, id],
    );
    if (!row) throw new Error('A contact vanished while its pair was held');
    return row;
  }

  /** By the last request, newest first. Indexes: ix_contacts_low and ix_contacts_high, backwards. */
  async listOf(
    userId: string,
    status: string | null,
    before: ListPosition,
    limit: number,
  ): Promise<ContactRow[]> {
    return await this.database.query<ContactRow>(
      'users.contacts',
      `SELECT ${ROW} FROM (
         (SELECT k.*, k.high_id AS other_id FROM contacts k JOIN users u ON u.id = k.high_id
          WHERE k.low_id = $1 AND (k.requested_at, k.id) < ($2::timestamptz, $3::uuid)
            AND ($4::text IS NULL OR k.status = $4) AND ${SHOWN}
          ORDER BY k.requested_at DESC, k.id DESC LIMIT $5)
         UNION ALL
         (SELECT k.*, k.low_id AS other_id FROM contacts k JOIN users u ON u.id = k.low_id
          WHERE k.high_id = $1 AND (k.requested_at, k.id) < ($2::timestamptz, $3::uuid)
            AND ($4::text IS NULL OR k.status = $4) AND ${SHOWN}
          ORDER BY k.requested_at DESC, k.id DESC LIMIT $5)) k
       JOIN users u ON u.id = k.other_id JOIN profiles p ON p.user_id = u.id
       ORDER BY k.requested_at DESC, k.id DESC LIMIT $5`,
      [userId, before.at, before.id, status, limit],
    );
  }
}
