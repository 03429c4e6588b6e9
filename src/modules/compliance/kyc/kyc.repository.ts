import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { DocumentKind } from './domain/document-parts.js';
import { type KycEvent, kycMachine, type KycState, WAITING_STATES } from './domain/kyc-machine.js';
import type { KycCaseRow } from './kyc.types.js';

const COLUMNS = `id, user_id, status, provider, document_kind, country, round, number_index, provider_reference,
  void_references, changes, reason, note, created_at, submitted_at, decided_at, decided_by, expires_at`;
const LATEST = `SELECT ${COLUMNS} FROM kyc_cases WHERE user_id = $1 ORDER BY id DESC LIMIT 1`;

/** What changes with a state; what is left out stays as it is. */
export interface KycChange {
  readonly reason?: string | null;
  readonly note?: string | null;
  readonly submittedAt?: Date;
  readonly decidedAt?: Date;
  readonly decidedBy?: string | null;
  readonly expiresAt?: Date;
  readonly numberIndex?: Buffer | null;
  /** Documents are asked for anew. */
  readonly nextRound?: boolean;
  /** By an operator: what the provider's session says, now or ever, is not believed any more. */
  readonly voidSession?: boolean;
}

@Injectable()
export class KycRepository {
  constructor(private readonly database: Database) {}

  /** The last case of a user is the one that counts. Index: ix_kyc_cases_user. */
  async latestOf(userId: string): Promise<KycCaseRow | null> {
    const [row] = await this.database.query<KycCaseRow>('kyc.latest', LATEST, [userId]);
    return row ?? null;
  }

  /** The same, as the transaction sees it. */
  async latest(manager: EntityManager, userId: string): Promise<KycCaseRow | null> {
    const [row] = await manager.query<KycCaseRow[]>(LATEST, [userId]);
    return row ?? null;
  }

  /** When the user's cases since then were begun, the first of them first. Index: ix_kyc_cases_user. */
  async begunSince(manager: EntityManager, userId: string, since: Date, limit: number): Promise<Date[]> {
    const rows = await manager.query<{ created_at: Date }[]>(
      `SELECT created_at FROM kyc_cases WHERE user_id = $1 AND created_at > $2 ORDER BY id DESC LIMIT $3`,
      [userId, since, limit],
    );
    return rows.map((row) => row.created_at).toReversed();
  }

  async insert(
    manager: EntityManager,
    row: {
      id: string;
      userId: string;
      provider: string;
      document: DocumentKind;
      country: string;
      now: Date;
    },
  ): Promise<KycCaseRow> {
    const [inserted] = await manager.query<[KycCaseRow]>(
      `INSERT INTO kyc_cases (id, user_id, status, provider, document_kind, country, created_at)
       VALUES ($1, $2, 'pending', $3, $4, $5, $6) RETURNING ${COLUMNS}`,
      [row.id, row.userId, row.provider, row.document, row.country, row.now],
    );
    return inserted;
  }

  /** Another document than the one that was chosen before: what was sent of that one is of no use, nor a provider's page for it. */
  async choose(
    manager: EntityManager,
    id: string,
    chosen: { document: DocumentKind; country: string },
  ): Promise<KycCaseRow | null> {
    const [rows] = await manager.query<[KycCaseRow[], number]>(
      `UPDATE kyc_cases SET document_kind = $2, country = $3, round = round + 1, changes = changes + 1,
              void_references = array_remove(void_references || provider_reference, NULL), provider_reference = NULL
       WHERE id = $1 AND status = ANY ($4) RETURNING ${COLUMNS}`,
      [id, chosen.document, chosen.country, WAITING_STATES],
    );
    return rows[0] ?? null;
  }

  async find(id: string): Promise<KycCaseRow | null> {
    const [row] = await this.database.query<KycCaseRow>(
      'kyc.find',
      `SELECT ${COLUMNS} FROM kyc_cases WHERE id = $1`,
      [id],
    );
    return row ?? null;
  }

  /** Index: ux_kyc_cases_reference. */
  async findByReference(provider: string, reference: string): Promise<KycCaseRow | null> {
    const [row] = await this.database.query<KycCaseRow>(
      'kyc.by_reference',
      `SELECT ${COLUMNS} FROM kyc_cases WHERE provider = $1 AND provider_reference = $2`,
      [provider, reference],
    );
    return row ?? null;
  }

  async lock(manager: EntityManager, id: string): Promise<KycCaseRow | null> {
    const [row] = await manager.query<KycCaseRow[]>(
      `SELECT ${COLUMNS} FROM kyc_cases WHERE id = $1 FOR NO KEY UPDATE`,
      [id],
    );
    return row ?? null;
  }

  /** Performs the event where it may happen; null where it may not (any more). */
  async move(
    manager: EntityManager,
    id: string,
    event: KycEvent,
    change: KycChange,
  ): Promise<KycCaseRow | null> {
    const from = kycMachine.from(event);
    const to = from[0] && kycMachine.next(from[0], event);
    const [rows] = await manager.query<[KycCaseRow[], number]>(
      `UPDATE kyc_cases SET status = $3, reason = $4, note = coalesce($5, note), submitted_at = coalesce($6, submitted_at),
              decided_at = coalesce($7, decided_at), decided_by = CASE WHEN $7::timestamptz IS NULL THEN decided_by ELSE $8::uuid END,
              expires_at = coalesce($9, expires_at), number_index = CASE WHEN $11 = 0 THEN coalesce($10, number_index) END,
              round = round + $11, changes = CASE WHEN $12 THEN 0 ELSE changes END,
              void_references = CASE WHEN $12 THEN array_remove(void_references || provider_reference, NULL) ELSE void_references END,
              provider_reference = CASE WHEN NOT $12 THEN provider_reference END
       WHERE id = $1 AND status = ANY ($2) RETURNING ${COLUMNS}`,
      [
        id,
        from,
        to,
        change.reason ?? null,
        change.note ?? null,
        change.submittedAt ?? null,
        change.decidedAt ?? null,
        change.decidedBy ?? null,
        change.expiresAt ?? null,
        change.numberIndex ?? null,
        change.nextRound === true ? 1 : 0,
        change.voidSession === true,
      ],
    );
    return rows[0] ?? null;
  }

  /** Says to operators why a case waits for them, and by which document; that one has been shown proves nothing yet. */
  async explain(
    manager: EntityManager,
    id: string,
    reason: string,
    numberIndex: Buffer | null,
  ): Promise<void> {
    await manager.query(
      `UPDATE kyc_cases SET reason = $2, number_index = coalesce($3, number_index) WHERE id = $1 AND status = 'in_review'`,
      [id, reason, numberIndex],
    );
  }

  /** Unless an operator has said meanwhile that it counts no more. */
  async noteReference(manager: EntityManager, id: string, reference: string): Promise<void> {
    await manager.query(
      'UPDATE kyc_cases SET provider_reference = $2 WHERE id = $1 AND NOT $2 = ANY (void_references)',
      [id, reference],
    );
  }

  /** In one state, the oldest first. Index: ix_kyc_cases_status. */
  async listByStatus(status: KycState, after: string | null, limit: number): Promise<KycCaseRow[]> {
    return await this.database.query<KycCaseRow>(
      'kyc.by_status',
      `SELECT ${COLUMNS} FROM kyc_cases WHERE status = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3`,
      [status, after, limit],
    );
  }

  /** How many wait for operators, and since when the first. Index: ix_kyc_cases_status. */
  async waiting(): Promise<{ count: number; since: Date | null }> {
    const [row] = await this.database.query<{ count: number; since: Date | null }>(
      'kyc.waiting',
      "SELECT count(*)::int AS count, min(submitted_at) AS since FROM kyc_cases WHERE status = 'in_review'",
    );
    return row ?? { count: 0, since: null };
  }
}
