import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { newId } from '../../../platform/database/ids.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { DomainError } from '../../../platform/http/domain-error.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { columnContext, KeyRing } from '../../../platform/security/key-ring.js';
import { UsersService } from '../../users/users.service.js';
import { kycErrors, kycReviewErrors } from '../kyc.errors.js';
import { DocumentStore } from './document-store.js';
import { missingParts, type Part } from './domain/document-parts.js';
import { typeOfFile } from './domain/file-type.js';
import { WAITING_STATES } from './domain/kyc-machine.js';
import type { KycDto } from './dto/kyc.dto.js';
import { KycDocumentsRepository } from './kyc-documents.repository.js';
import { KycOutcomesService } from './kyc-outcomes.service.js';
import { KycRepository } from './kyc.repository.js';
import { KycService } from './kyc.service.js';
import { type KycCaseRow, type KycDocumentRow, MANUAL } from './kyc.types.js';
import { DATA_KEY_BYTES, openFile, sealFile } from './sealed-file.js';

/** Documents that users upload, and operators look at. */
@Injectable()
export class KycDocumentsService {
  constructor(
    private readonly repository: KycDocumentsRepository,
    private readonly cases: KycRepository,
    private readonly kyc: KycService,
    private readonly outcomes: KycOutcomesService,
    private readonly store: DocumentStore,
    private readonly users: UsersService,
    private readonly keyRing: KeyRing,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Takes one part of the document; with the last of them the case is handed in. The same bytes again are the part that is here already. The file
   * is written before its row, so that no row is without one; what a crash leaves in between nobody can read, and housekeeping removes it. Throws
   * KYC_NOT_STARTED, KYC_IN_REVIEW, KYC_NO_UPLOAD, KYC_PART_NOT_ASKED, KYC_FILE_EMPTY, KYC_FILE_TYPE, KYC_PART_SENT.
   */
  async upload(userId: string, part: Part, bytes: Buffer): Promise<KycDto> {
    const row = this.requireAsked(await this.cases.latestOf(userId), part);
    if (bytes.length === 0) throw kycErrors.KYC_FILE_EMPTY();
    const mediaType = typeOfFile(bytes);
    if (mediaType === null) throw kycErrors.KYC_FILE_TYPE();
    const sha256 = createHash('sha256').update(bytes).digest();
    // What is here already is not written again, however often it comes; of what comes at once the transaction takes the first.
    if (isHere(await this.repository.ofCase(row.id), row, part, sha256)) return await this.kyc.status(userId);
    const id = newId();
    const dataKey = randomBytes(DATA_KEY_BYTES);
    const file = {
      id,
      part,
      media_type: mediaType,
      bytes: bytes.length,
      sha256,
      data_key: this.keyRing.encrypt(dataKey, contextOf(id)),
    };
    await this.store.put(id, sealFile(bytes, dataKey, id));
    let unwanted = false;
    try {
      unwanted = !(await this.unitOfWork.run((manager) => this.add(manager, userId, file)));
    } catch (error) {
      // Where only the answer to the commit was lost there is a row: its file stays, and goes as a stray where there is none.
      unwanted = error instanceof DomainError && error.spec.status < 500;
      throw error;
    } finally {
      if (unwanted) await this.store.remove(id);
    }
    return await this.kyc.status(userId);
  }

  /** Throws as `upload` would, whatever the file, when nobody waits for this part now. */
  async requireWanted(userId: string, part: Part): Promise<void> {
    this.requireAsked(await this.cases.latestOf(userId), part);
  }

  /** The file as it was sent, for an operator; that they have looked is in the audit log before they see it. Throws KYC_DOCUMENT_NOT_FOUND. */
  async read(
    operatorId: string,
    caseId: string,
    documentId: string,
  ): Promise<{ bytes: Buffer; row: KycDocumentRow }> {
    const found = await this.cases.find(caseId);
    const row = found && (await this.repository.find(caseId, documentId));
    if (!row) throw kycReviewErrors.KYC_DOCUMENT_NOT_FOUND({ documentId });
    await this.unitOfWork.run((manager) =>
      this.audit.record(manager, {
        actorId: operatorId,
        action: 'kyc.document-viewed',
        subjectType: 'kyc_case',
        subjectId: caseId,
        details: { documentId, userId: found.user_id },
      }),
    );
    const dataKey = this.keyRing.decrypt(row.data_key, contextOf(row.id));
    return { bytes: openFile(await this.store.get(row.id), dataKey, row.id), row };
  }

  /** False when this very part is here already. */
  private async add(
    manager: EntityManager,
    userId: string,
    file: Omit<KycDocumentRow, 'case_id' | 'round' | 'uploaded_at'>,
  ): Promise<boolean> {
    await this.users.lock(manager, userId); // one upload of a user after the other
    const row = this.requireAsked(await this.cases.latest(manager, userId), file.part);
    const { id: caseId, round } = row;
    const all = await this.repository.lockedOf(manager, caseId);
    if (isHere(all, row, file.part, file.sha256)) return false;
    await this.repository.insert(manager, { ...file, case_id: caseId, round, uploaded_at: this.clock.now() });
    await this.audit.record(manager, {
      actorId: userId,
      action: 'kyc.document-uploaded',
      subjectType: 'kyc_case',
      subjectId: caseId,
      details: { documentId: file.id, part: file.part, userId },
    });
    const sent = await this.repository.sentIn(manager, caseId, round);
    if (missingParts(this.rules.compliance.kyc.parts[row.document_kind], sent).length === 0)
      await this.outcomes.submit(manager, row);
    return true;
  }

  private requireAsked(row: KycCaseRow | null, part: Part): KycCaseRow {
    if (row?.status === 'in_review') throw kycErrors.KYC_IN_REVIEW();
    if (!row || !WAITING_STATES.includes(row.status))
      throw kycErrors.KYC_NOT_STARTED({ state: row?.status ?? 'none' });
    if (row.provider !== MANUAL) throw kycErrors.KYC_NO_UPLOAD({ provider: row.provider });
    const parts = this.rules.compliance.kyc.parts[row.document_kind];
    if (!parts.includes(part)) throw kycErrors.KYC_PART_NOT_ASKED({ part, parts });
    return row;
  }
}

/** Whether these very bytes are that part. Throws KYC_PART_SENT when others are. */
function isHere(sent: readonly KycDocumentRow[], { round }: KycCaseRow, part: Part, sha256: Buffer): boolean {
  const same = sent.find((one) => one.round === round && one.part === part);
  if (same && !same.sha256.equals(sha256)) throw kycErrors.KYC_PART_SENT({ part });
  return same !== undefined;
}

function contextOf(id: string): string {
  return columnContext('kyc_documents', 'data_key', id);
}
