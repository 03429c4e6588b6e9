import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { Part } from './domain/document-parts.js';
import type { KycDocumentRow } from './kyc.types.js';

const COLUMNS = 'id, case_id, round, part, media_type, bytes, sha256, data_key, uploaded_at';
/** Index: ux_kyc_documents_part. */
const OF_CASE = `SELECT ${COLUMNS} FROM kyc_documents WHERE case_id = $1 ORDER BY round, uploaded_at, id`;

/** What was sent, and the keys of the files. */
@Injectable()
export class KycDocumentsRepository {
  constructor(private readonly database: Database) {}

  async insert(manager: EntityManager, row: KycDocumentRow): Promise<void> {
    await manager.query(
      `INSERT INTO kyc_documents (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        row.id,
        row.case_id,
        row.round,
        row.part,
        row.media_type,
        row.bytes,
        row.sha256,
        row.data_key,
        row.uploaded_at,
      ],
    );
  }

  async ofCase(caseId: string): Promise<KycDocumentRow[]> {
    return await this.database.query<KycDocumentRow>('kyc_documents.of_case', OF_CASE, [caseId]);
  }

  async lockedOf(manager: EntityManager, caseId: string): Promise<KycDocumentRow[]> {
    return await manager.query<KycDocumentRow[]>(OF_CASE, [caseId]);
  }

  async sentIn(manager: EntityManager, caseId: string, round: number): Promise<Part[]> {
    const rows = await manager.query<{ part: Part }[]>(
      'SELECT part FROM kyc_documents WHERE case_id = $1 AND round = $2',
      [caseId, round],
    );
    return rows.map(({ part }) => part);
  }

  async find(caseId: string, id: string): Promise<KycDocumentRow | null> {
    const [row] = await this.database.query<KycDocumentRow>(
      'kyc_documents.find',
      `SELECT ${COLUMNS} FROM kyc_documents WHERE id = $1 AND case_id = $2`,
      [id, caseId],
    );
    return row ?? null;
  }

  /** Which of them there are. */
  async known(ids: readonly string[]): Promise<Set<string>> {
    const rows = await this.database.query<{ id: string }>(
      'kyc_documents.known',
      'SELECT id FROM kyc_documents WHERE id = ANY ($1::uuid[])',
      [ids],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /** Forgets what was sent in one round; their ids. */
  async forgetRound(manager: EntityManager, caseId: string, round: number): Promise<string[]> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      'DELETE FROM kyc_documents WHERE case_id = $1 AND round = $2 RETURNING id',
      [caseId, round],
    );
    return rows.map(({ id }) => id);
  }

  /** Forgets all of a user, and with the keys what stands in the files; their ids. */
  async forgetAll(manager: EntityManager, userId: string): Promise<string[]> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      `DELETE FROM kyc_documents d USING kyc_cases c WHERE c.id = d.case_id AND c.user_id = $1 RETURNING d.id`,
      [userId],
    );
    return rows.map(({ id }) => id);
  }
}
