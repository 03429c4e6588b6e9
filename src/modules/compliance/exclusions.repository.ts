import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { StakesTold } from './open-stakes.port.js';

/** An exclusion that bars: its term runs, or is over and no return has taken effect. */
export interface ExclusionRow {
  id: string;
  starts_at: Date;
  /** Null: for ever. */
  ends_at: Date | null;
  refunded_bets: number | null;
  refunded_credits: string | null;
  standing_bets: number | null;
}

export interface ReturnRow {
  asked_at: Date;
  effective_at: Date;
}

const PENDING_RETURN = `
  SELECT asked_at, effective_at FROM exclusion_returns WHERE user_id = $1 AND effective_at > $2
  ORDER BY asked_at DESC LIMIT 1`;

@Injectable()
export class ExclusionsRepository {
  constructor(private readonly database: Database) {}

  /** The longest that bars the user then. Index: ix_restrictions_user_end. */
  async findBarring(manager: EntityManager, userId: string, at: Date): Promise<ExclusionRow | null> {
    const [row] = await manager.query<ExclusionRow[]>(
      `SELECT id, starts_at, ends_at, refunded_bets, refunded_credits, standing_bets FROM restrictions
       WHERE user_id = $1 AND kind = 'self_exclusion' AND starts_at <= $2
         AND (ends_at IS NULL OR ends_at > $2 OR NOT compliance_returned(user_id, ends_at, $2))
       ORDER BY ends_at DESC NULLS FIRST, id LIMIT 1`,
      [userId, at],
    );
    return row ?? null;
  }

  async insert(
    manager: EntityManager,
    row: { id: string; userId: string; startsAt: Date; endsAt: Date | null; stakes: StakesTold },
  ): Promise<void> {
    const { refundedBets, refundedCredits, standingBets } = row.stakes;
    await manager.query(
      `INSERT INTO restrictions (id, user_id, kind, starts_at, ends_at, refunded_bets, refunded_credits, standing_bets)
       VALUES ($1, $2, 'self_exclusion', $3, $4, $5, $6, $7)`,
      [row.id, row.userId, row.startsAt, row.endsAt, refundedBets, refundedCredits, standingBets],
    );
  }

  /** The last return that the user has asked for and that has yet to take effect. Index: ix_exclusion_returns_user. */
  async findPendingReturn(manager: EntityManager, userId: string, at: Date): Promise<ReturnRow | null> {
    const [row] = await manager.query<ReturnRow[]>(PENDING_RETURN, [userId, at]);
    return row ?? null;
  }

  /** The same, as it is shown. */
  async pendingReturn(userId: string, at: Date): Promise<ReturnRow | null> {
    const [row] = await this.database.query<ReturnRow>('exclusion_returns.pending', PENDING_RETURN, [
      userId,
      at,
    ]);
    return row ?? null;
  }

  async insertReturn(
    manager: EntityManager,
    row: { id: string; userId: string; askedAt: Date; effectiveAt: Date },
  ): Promise<void> {
    await manager.query(
      'INSERT INTO exclusion_returns (id, user_id, asked_at, effective_at) VALUES ($1, $2, $3, $4)',
      [row.id, row.userId, row.askedAt, row.effectiveAt],
    );
  }
}
