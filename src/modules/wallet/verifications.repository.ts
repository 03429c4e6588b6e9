import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { LedgerReport } from './verify.types.js';

export interface VerificationRow {
  readonly id: string;
  readonly requested_by: string;
  readonly requested_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly report: LedgerReport | null;
}

const COLUMNS = 'id, requested_by, requested_at, started_at, finished_at, report';

/** Verifications that operators asked for. One at a time has not ended: a unique index. */
@Injectable()
export class VerificationsRepository {
  constructor(private readonly database: Database) {}

  /** Gives up what was begun before that time: nobody works on it any more. Index: ux_ledger_verifications_open. */
  async giveUpBefore(manager: EntityManager, before: Date, now: Date): Promise<void> {
    await manager.query(
      'UPDATE ledger_verifications SET finished_at = $2 WHERE finished_at IS NULL AND requested_at < $1',
      [before, now],
    );
  }

  /** Null when another one has not ended. */
  async insert(
    manager: EntityManager,
    row: { id: string; requestedBy: string; now: Date },
  ): Promise<VerificationRow | null> {
    const [inserted] = await manager.query<VerificationRow[]>(
      `INSERT INTO ledger_verifications (id, requested_by, requested_at) VALUES ($1, $2, $3)
       ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
      [row.id, row.requestedBy, row.now],
    );
    return inserted ?? null;
  }

  async find(id: string): Promise<VerificationRow | null> {
    const [row] = await this.database.query<VerificationRow>(
      'wallet.verification',
      `SELECT ${COLUMNS} FROM ledger_verifications WHERE id = $1`,
      [id],
    );
    return row ?? null;
  }

  /** Null when it has ended. */
  async start(id: string, now: Date): Promise<VerificationRow | null> {
    const [row] = await this.database.query<VerificationRow>(
      'wallet.start_verification',
      `UPDATE ledger_verifications SET started_at = $2 WHERE id = $1 AND finished_at IS NULL RETURNING ${COLUMNS}`,
      [id, now],
    );
    return row ?? null;
  }

  /** With what was found; without it when it could not be done. */
  async finish(id: string, report: LedgerReport | null, now: Date): Promise<void> {
    await this.database.query(
      'wallet.finish_verification',
      'UPDATE ledger_verifications SET finished_at = $3, report = $2 WHERE id = $1 AND finished_at IS NULL',
      [id, report === null ? null : JSON.stringify(report), now],
    );
  }
}
