import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import {
  OPEN_STATES,
  withdrawalMachine,
  type WithdrawalEvent,
  type WithdrawalState,
} from '../domain/withdrawal-machine.js';
import type { WithdrawalRow } from './withdrawals.types.js';

const COLUMNS = `id, user_id, amount, currency, provider, destination, hold_id, transfer_id, status, provider_reference,
  failure_code, review, checks, requested_at, decided_at, decided_by, note, submitted_at, settled_at`;

export interface NewWithdrawal {
  readonly id: string;
  readonly userId: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly provider: string;
  readonly destination: Buffer;
  readonly holdId: string;
  readonly status: WithdrawalState;
  readonly now: Date;
}

/** What changes with a state; what is left out stays as it is. */
export interface WithdrawalChange {
  readonly transferId?: string;
  readonly providerReference?: string;
  readonly failureCode?: string | null;
  readonly decidedAt?: Date;
  readonly decidedBy?: string;
  readonly note?: string;
  readonly submittedAt?: Date;
  readonly settledAt?: Date;
}

@Injectable()
export class WithdrawalsRepository {
  constructor(private readonly database: Database) {}

  async insert(manager: EntityManager, one: NewWithdrawal): Promise<WithdrawalRow> {
    const [row] = await manager.query<[WithdrawalRow]>(
      `INSERT INTO withdrawals (id, user_id, amount, currency, provider, destination, hold_id, status, requested_at,
                                decided_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $8 = 'approved' THEN $9::timestamptz END)
       RETURNING ${COLUMNS}`,
      [
        one.id,
        one.userId,
        one.amount.toString(),
        one.currency,
        one.provider,
        one.destination,
        one.holdId,
        one.status,
        one.now,
      ],
    );
    return row;
  }

  /**
   * What the user has withdrawn since, or has under way, in the currency; how many are under way in all; and whether any money of
   * theirs is or was disputed. The caller holds the user's row, so that of two requests the second sees the first. Indexes:
   * ix_withdrawals_user, ix_payments_user.
   */
  async figuresOf(
    manager: EntityManager,
    userId: string,
    currency: string,
    since: Date,
  ): Promise<{ amount: bigint; open: number; disputed: boolean }> {
    const [row] = await manager.query<[{ amount: string; open: number; disputed: boolean }]>(
      `SELECT coalesce(sum(amount) FILTER (WHERE currency = $2 AND (status = ANY ($4) OR (status = 'paid' AND settled_at > $3))),
                       0)::text AS amount,
              count(*) FILTER (WHERE status = ANY ($4))::int AS open,
              EXISTS (SELECT FROM payments WHERE user_id = $1 AND dispute IS NOT NULL) AS disputed
       FROM withdrawals WHERE user_id = $1`,
      [userId, currency, since, OPEN_STATES],
    );
    return { ...row, amount: BigInt(row.amount) };
  }

  async lock(manager: EntityManager, id: string): Promise<WithdrawalRow | null> {
    const [row] = await manager.query<WithdrawalRow[]>(
      `SELECT ${COLUMNS} FROM withdrawals WHERE id = $1 FOR NO KEY UPDATE`,
      [id],
    );
    return row ?? null;
  }

  /** Performs the event where it may happen; null where it may not (any more). What is settled as it should be needs no operator. */
  async move(
    manager: EntityManager,
    id: string,
    event: WithdrawalEvent,
    change: WithdrawalChange,
  ): Promise<WithdrawalRow | null> {
    const from = withdrawalMachine.from(event);
    const to = from[0] && withdrawalMachine.next(from[0], event);
    const [rows] = await manager.query<[WithdrawalRow[], number]>(
      `UPDATE withdrawals SET status = $3, transfer_id = coalesce($4, transfer_id),
              provider_reference = coalesce($5, provider_reference), failure_code = coalesce($6, failure_code),
              decided_at = coalesce($7, decided_at), decided_by = coalesce($8, decided_by), note = coalesce($9, note),
              submitted_at = coalesce($10, submitted_at), settled_at = coalesce($11, settled_at),
              review = CASE WHEN $11::timestamptz IS NULL THEN review END,
              review_at = CASE WHEN $11::timestamptz IS NULL THEN review_at END
       WHERE id = $1 AND status = ANY ($2) RETURNING ${COLUMNS}`,
      [
        id,
        from,
        to,
        change.transferId ?? null,
        change.providerReference ?? null,
        change.failureCode ?? null,
        change.decidedAt ?? null,
        change.decidedBy ?? null,
        change.note ?? null,
        change.submittedAt ?? null,
        change.settledAt ?? null,
      ],
    );
    return rows[0] ?? null;
  }

  /** Counts that the provider was asked, or is about to be. */
  async noteAsked(manager: EntityManager, id: string): Promise<void> {
    await manager.query('UPDATE withdrawals SET checks = checks + 1 WHERE id = $1', [id]);
  }

  async noteReference(manager: EntityManager, id: string, reference: string): Promise<void> {
    await manager.query('UPDATE withdrawals SET provider_reference = $2 WHERE id = $1', [id, reference]);
  }

  /** Back to the operators: as if it had not been decided. Null where that may not be (any more). */
  async holdBack(
    manager: EntityManager,
    id: string,
    review: string,
    now: Date,
  ): Promise<WithdrawalRow | null> {
    const [rows] = await manager.query<[WithdrawalRow[], number]>(
      `UPDATE withdrawals SET status = 'requested', decided_at = NULL, decided_by = NULL, review = $3, review_at = $4
       WHERE id = $1 AND status = ANY ($2) RETURNING ${COLUMNS}`,
      [id, withdrawalMachine.from('hold_back'), review, now],
    );
    return rows[0] ?? null;
  }

  async flag(manager: EntityManager, id: string, review: string, now: Date): Promise<void> {
    await manager.query(
      'UPDATE withdrawals SET review = $2, review_at = coalesce(review_at, $3) WHERE id = $1',
      [id, review, now],
    );
  }

  /** An operator has looked. */
  async resolve(manager: EntityManager, id: string): Promise<WithdrawalRow | null> {
    const [rows] = await manager.query<[WithdrawalRow[], number]>(
      `UPDATE withdrawals SET review = NULL, review_at = NULL WHERE id = $1 AND review IS NOT NULL RETURNING ${COLUMNS}`,
      [id],
    );
    return rows[0] ?? null;
  }

  /** Whose it is: their row is locked before it. */
  async userOf(manager: EntityManager, id: string): Promise<string | null> {
    const [row] = await manager.query<{ user_id: string }[]>(
      'SELECT user_id FROM withdrawals WHERE id = $1',
      [id],
    );
    return row?.user_id ?? null;
  }

  async find(id: string): Promise<WithdrawalRow | null> {
    const [row] = await this.database.query<WithdrawalRow>(
      'withdrawals.find',
      `SELECT ${COLUMNS} FROM withdrawals WHERE id = $1`,
      [id],
    );
    return row ?? null;
  }

  /** Of a provider, by our id or by its reference. Indexes: primary key, ix_withdrawals_reference. */
  async findPayout(
    provider: string,
    payoutId: string | null,
    reference: string | null,
  ): Promise<string | null> {
    const [row] = await this.database.query<{ id: string }>(
      'withdrawals.find_payout',
      `SELECT id FROM withdrawals WHERE id = $2::uuid AND provider = $1
       UNION ALL SELECT id FROM withdrawals WHERE provider = $1 AND provider_reference = $3 LIMIT 1`,
      [provider, payoutId, reference],
    );
    return row?.id ?? null;
  }

  /** Newest first. Index: ix_withdrawals_user. */
  async listOf(userId: string, before: string | null, limit: number): Promise<WithdrawalRow[]> {
    return await this.database.query<WithdrawalRow>(
      'withdrawals.of_user',
      `SELECT ${COLUMNS} FROM withdrawals WHERE user_id = $1 AND ($2::uuid IS NULL OR id < $2)
       ORDER BY id DESC LIMIT $3`,
      [userId, before, limit],
    );
  }

  /** Those that do not fit or were held back, in whatever state, oldest first. Index: ix_withdrawals_review. */
  async listInReview(after: string | null, limit: number): Promise<WithdrawalRow[]> {
    return await this.database.query<WithdrawalRow>(
      'withdrawals.in_review',
      `SELECT ${COLUMNS} FROM withdrawals WHERE review_at IS NOT NULL AND ($1::uuid IS NULL OR id > $1)
       ORDER BY id LIMIT $2`,
      [after, limit],
    );
  }

  /** What waits for operators, and since when. Indexes: ix_withdrawals_status, ix_withdrawals_review. */
  async waiting(): Promise<{ what: 'requested' | 'review'; count: number; since: Date | null }[]> {
    return await this.database.query(
      'withdrawals.waiting',
      `SELECT 'requested' AS what, count(*)::int AS count, min(requested_at) AS since FROM withdrawals WHERE status = 'requested'
       UNION ALL SELECT 'review', count(*)::int, min(review_at) FROM withdrawals WHERE review_at IS NOT NULL`,
    );
  }

  /** Oldest first. Index: ix_withdrawals_status. */
  async listByStatus(status: WithdrawalState, after: string | null, limit: number): Promise<WithdrawalRow[]> {
    return await this.database.query<WithdrawalRow>(
      'withdrawals.by_status',
      `SELECT ${COLUMNS} FROM withdrawals WHERE status = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3`,
      [status, after, limit],
    );
  }
}
