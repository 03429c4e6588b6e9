import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { RefundRow } from './payments.types.js';
import type { DisputeChange } from './provider.js';

const COLUMNS = `id, payment_id, amount, reason, requested_by, status, provider_reference, failure_code, created_at, succeeded_at,
  completed_at, checks`;

export interface DisputeRow {
  readonly id: string;
  readonly payment_id: string;
  readonly provider: string;
  readonly amount: string;
  readonly currency: string;
  readonly withdrawn_at: Date | null;
  readonly reinstated_at: Date | null;
  readonly outcome: 'won' | 'lost' | null;
  /** The transfer that took the money from where the payment put it. */
  readonly charge_id: string | null;
  readonly charge_returned_at: Date | null;
  /** What of it was there; the rest is owed. */
  readonly charged: string | null;
  readonly opened_at: Date;
  readonly closed_at: Date | null;
}

const DISPUTE_COLUMNS = `id, payment_id, provider, amount, currency, withdrawn_at, reinstated_at, outcome, charge_id,
  charge_returned_at, charged, opened_at, closed_at`;

const ADVANCES_FROM = {
  pending: ['requested'],
  succeeded: ['requested', 'pending'],
  failed: ['requested', 'pending', 'succeeded'],
} as const;

/** Money on its way back: refunds, which we ask for, and disputes, which payers begin. */
@Injectable()
export class RefundsRepository {
  constructor(private readonly database: Database) {}

  async insert(
    manager: EntityManager,
    row: Pick<RefundRow, 'id' | 'payment_id' | 'reason' | 'requested_by' | 'created_at'> & {
      amount: bigint;
      check_at: Date;
    },
  ): Promise<RefundRow> {
    const [inserted] = await manager.query<RefundRow[]>(
      `INSERT INTO payment_refunds (id, payment_id, amount, reason, requested_by, status, created_at, check_at)
       VALUES ($1, $2, $3, $4, $5, 'requested', $6, $7) RETURNING ${COLUMNS}`,
      [row.id, row.payment_id, row.amount, row.reason, row.requested_by, row.created_at, row.check_at],
    );
    if (!inserted) throw new Error('a refund was not inserted');
    return inserted;
  }

  async find(id: string): Promise<RefundRow | null> {
    const [row] = await this.database.query<RefundRow>(
      'refunds.one',
      `SELECT ${COLUMNS} FROM payment_refunds WHERE id = $1`,
      [id],
    );
    return row ?? null;
  }

  /** Whose refund it is: the payment is locked before it. */
  async paymentOf(manager: EntityManager, id: string): Promise<string | null> {
    const [row] = await manager.query<{ payment_id: string }[]>(
      'SELECT payment_id FROM payment_refunds WHERE id = $1',
      [id],
    );
    return row?.payment_id ?? null;
  }

  async lock(manager: EntityManager, id: string): Promise<RefundRow | null> {
    const [row] = await manager.query<RefundRow[]>(
      `SELECT ${COLUMNS} FROM payment_refunds WHERE id = $1 FOR UPDATE`,
      [id],
    );
    return row ?? null;
  }

  async ofPayment(paymentId: string): Promise<RefundRow[]> {
    return await this.database.query<RefundRow>(
      'refunds.of_payment',
      `SELECT ${COLUMNS} FROM payment_refunds WHERE payment_id = $1 ORDER BY id`,
      [paymentId],
    );
  }

  /** Index: ix_payment_refunds_reference. */
  async findByReference(provider: string, reference: string): Promise<string | null> {
    const [row] = await this.database.query<{ id: string }>(
      'refunds.by_reference',
      `SELECT r.id FROM payment_refunds r JOIN payments p ON p.id = r.payment_id
       WHERE r.provider_reference = $2 AND p.provider = $1`,
      [provider, reference],
    );
    return row?.id ?? null;
  }

  /** The provider has it, or has done it, or says that it failed, which it may after it was done. False when that was known. */
  async advance(
    manager: EntityManager,
    id: string,
    to: {
      status: 'pending' | 'succeeded' | 'failed';
      reference: string;
      failureCode: string | null;
      now: Date;
    },
  ): Promise<boolean> {
    const [, count] = await manager.query<[unknown[], number]>(
      `UPDATE payment_refunds
       SET status = $3, provider_reference = $4, failure_code = $5,
           succeeded_at = CASE WHEN $3 = 'succeeded' THEN $6::timestamptz ELSE succeeded_at END,
           completed_at = CASE WHEN $3 = 'pending' THEN NULL ELSE $6::timestamptz END,
           check_at = CASE WHEN $3 = 'pending' THEN check_at END
       WHERE id = $1 AND status = ANY ($2)`,
      [id, ADVANCES_FROM[to.status], to.status, to.reference, to.failureCode, to.now],
    );
    return count === 1;
  }

  /** Refunds whose time to be asked for, or about, has come; each claimed for a while. Index: ix_payment_refunds_check. */
  async claimChecks(now: Date, until: Date, limit: number): Promise<RefundRow[]> {
    return await this.database.query<RefundRow>(
      'refunds.claim_checks',
      `UPDATE payment_refunds SET check_at = $2, checks = checks + 1
       WHERE id = ANY (ARRAY(
         SELECT id FROM payment_refunds WHERE check_at <= $1 ORDER BY check_at LIMIT $3 FOR UPDATE SKIP LOCKED))
       RETURNING ${COLUMNS}`,
      [now, until, limit],
    );
  }

  async checkAgain(id: string, at: Date): Promise<void> {
    await this.database.query(
      'refunds.check_again',
      'UPDATE payment_refunds SET check_at = $2 WHERE id = $1 AND check_at IS NOT NULL',
      [id, at],
    );
  }

  /** The dispute's row, locked; made when this is the first that is heard of it. */
  async lockDispute(
    manager: EntityManager,
    row: { id: string; paymentId: string; provider: string; change: DisputeChange; now: Date },
  ): Promise<DisputeRow> {
    const { disputeReference, disputed } = row.change;
    await manager.query(
      `INSERT INTO payment_disputes (id, payment_id, provider, provider_reference, amount, currency, opened_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ON CONSTRAINT ux_payment_disputes_reference DO NOTHING`,
      [row.id, row.paymentId, row.provider, disputeReference, disputed.amount, disputed.currency, row.now],
    );
    const [found] = await manager.query<DisputeRow[]>(
      `SELECT ${DISPUTE_COLUMNS} FROM payment_disputes
       WHERE provider = $1 AND provider_reference = $2 FOR UPDATE`,
      [row.provider, disputeReference],
    );
    if (!found) throw new Error(`the dispute ${disputeReference} vanished`);
    return found;
  }

  async noteDispute(
    manager: EntityManager,
    id: string,
    kind: DisputeChange['kind'],
    now: Date,
  ): Promise<DisputeRow> {
    const [rows] = await manager.query<[DisputeRow[], number]>(
      `UPDATE payment_disputes
       SET withdrawn_at = CASE WHEN $2 = 'funds_withdrawn' THEN coalesce(withdrawn_at, $3) ELSE withdrawn_at END,
           reinstated_at = CASE WHEN $2 = 'funds_reinstated' THEN coalesce(reinstated_at, $3) ELSE reinstated_at END,
           outcome = CASE WHEN $2 IN ('won', 'lost') THEN coalesce(outcome, $2) ELSE outcome END,
           closed_at = CASE WHEN $2 IN ('won', 'lost') THEN coalesce(closed_at, $3) ELSE closed_at END
       WHERE id = $1 RETURNING ${DISPUTE_COLUMNS}`,
      [id, kind, now],
    );
    if (!rows[0]) throw new Error(`the dispute ${id} vanished`);
    return rows[0];
  }

  async noteCharge(
    manager: EntityManager,
    id: string,
    { charged, transferId }: { charged: bigint; transferId: string },
  ): Promise<void> {
    await manager.query('UPDATE payment_disputes SET charged = $2, charge_id = $3 WHERE id = $1', [
      id,
      charged,
      transferId,
    ]);
  }

  async noteReturned(manager: EntityManager, id: string, now: Date): Promise<void> {
    await manager.query('UPDATE payment_disputes SET charge_returned_at = $2 WHERE id = $1', [id, now]);
  }

  /** Index: ix_payment_disputes_payment. */
  async listDisputes(paymentId: string): Promise<DisputeRow[]> {
    return await this.database.query<DisputeRow>(
      'refunds.disputes',
      `SELECT ${DISPUTE_COLUMNS} FROM payment_disputes WHERE payment_id = $1 ORDER BY id`,
      [paymentId],
    );
  }

  /** What the payment's disputes come to: one that is lost, else one that is open, else none. */
  async disputesOf(manager: EntityManager, paymentId: string): Promise<'open' | 'lost' | null> {
    const [row] = await manager.query<{ dispute: 'open' | 'lost' | null }[]>(
      `SELECT CASE WHEN bool_or(outcome = 'lost') THEN 'lost' WHEN bool_or(outcome IS NULL) THEN 'open' END AS dispute
       FROM payment_disputes WHERE payment_id = $1`,
      [paymentId],
    );
    return row?.dispute ?? null;
  }
}
