import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';

export interface RestrictionRow {
  id: string;
  user_id: string;
  kind: 'time_out' | 'self_exclusion';
  starts_at: Date;
  ends_at: Date | null;
}

@Injectable()
export class ComplianceRepository {
  constructor(private readonly database: Database) {}

  /** Waits for the stakes that are being placed by this user and holds off the ones to come until the commit. */
  async shutGate(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('SELECT parley_gate_shut($1)', [userId]);
  }

  async insert(manager: EntityManager, row: RestrictionRow): Promise<void> {
    await manager.query(
      'INSERT INTO restrictions (id, user_id, kind, starts_at, ends_at) VALUES ($1, $2, $3, $4, $5)',
      [row.id, row.user_id, row.kind, row.starts_at, row.ends_at],
    );
  }

  /** What bars the user then: time-outs that run, exclusions that nobody has returned from. Index: ix_restrictions_user_end. */
  async activeAt(userId: string, at: Date): Promise<RestrictionRow[]> {
    return await this.database.query<RestrictionRow>(
      'compliance.active',
      `SELECT id, user_id, kind, starts_at, ends_at FROM restrictions
       WHERE user_id = $1 AND starts_at <= $2
         AND (ends_at IS NULL OR ends_at > $2
              OR (kind = 'self_exclusion' AND NOT compliance_returned(user_id, ends_at, $2)))
       ORDER BY ends_at DESC NULLS FIRST, id`,
      [userId, at],
    );
  }

  /**
   * Enters the user's gate, so that nothing passes a bar that is being set, and only then looks, at what is committed, for the
   * code of what bars them.
   */
  async enterGate(manager: EntityManager, userId: string, minimumAge: number): Promise<string | null> {
    await manager.query('SELECT parley_gate_enter($1::uuid)', [userId]);
    const [row] = await manager.query<{ code: string | null }[]>(
      'SELECT code FROM compliance_refusal($1, parley_now(), $2)',
      [userId, minimumAge],
    );
    return row?.code ?? null;
  }

  /** Of who is not there to be asked. */
  async ageOf(manager: EntityManager, userId: string): Promise<{ birth_date: string; verified: boolean }> {
    const [row] = await manager.query<{ birth_date: string; verified: boolean }[]>(
      'SELECT birth_date::text, age_verified_at IS NOT NULL AS verified FROM users WHERE id = $1',
      [userId],
    );
    if (!row) throw new Error(`there is no user ${userId}`);
    return row;
  }
}
