import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Listed } from '../../../platform/http/answers.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { cursorPage, DEFAULT_LIMIT, readCursor } from '../../../platform/http/pagination.js';
import type { Subject } from '../../../platform/security/subject.js';
import { UsersService } from '../../users/users.service.js';
import { kycReviewErrors } from '../kyc.errors.js';
import { PlaySessionsPort } from '../reality-checks/play-sessions.port.js';
import type {
  AdminKycDetailDto,
  AdminKycDto,
  AdminKycQuery,
  DecideKycDto,
  KycDocumentDto,
} from './dto/kyc.dto.js';
import { DocumentNumbers } from './document-numbers.js';
import { KycDocumentsRepository } from './kyc-documents.repository.js';
import { KycOutcomesService } from './kyc-outcomes.service.js';
import { KycRepository } from './kyc.repository.js';
import type { Decider, KycCaseRow, KycDocumentRow } from './kyc.types.js';

const UUID = /^[0-9a-f-]{36}$/;

/** An operator's part: the queue, and the word that counts. */
@Injectable()
export class KycReviewService {
  constructor(
    private readonly repository: KycRepository,
    private readonly documents: KycDocumentsRepository,
    private readonly numbers: DocumentNumbers,
    private readonly outcomes: KycOutcomesService,
    private readonly users: UsersService,
    private readonly plays: PlaySessionsPort,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** All in one state, the oldest first. */
  async list(query: AdminKycQuery): Promise<Listed<AdminKycDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const [after] = readCursor(query.cursor, [UUID]) ?? [];
    const rows = await this.repository.listByStatus(query.state ?? 'in_review', after ?? null, limit + 1);
    return cursorPage(rows, limit, ({ id }) => [id], toDto);
  }

  /** Throws KYC_CASE_NOT_FOUND. */
  async get(id: string): Promise<AdminKycDetailDto> {
    const row = await this.find(id);
    const [documents, user] = await Promise.all([this.documents.ofCase(id), this.users.get(row.user_id)]);
    const others = row.number_index && (await this.repository.othersWith(row.number_index, row.user_id));
    return Object.assign(toDto(row), {
      birthDate: user.birthDate,
      othersWithDocument: others ?? 0,
      documents: documents.map(toDocumentDto),
    });
  }

  /**
   * Of two operators at once the first decides. Once this answers, requests of the user go by it. Throws KYC_CASE_NOT_FOUND, KYC_CASE_OWN,
   * KYC_CASE_ALREADY_DECIDED, KYC_BIRTH_DATE_NEEDED, KYC_REASON_NEEDED, KYC_DOCUMENT_EXPIRED, KYC_IDENTITY_BANNED.
   */
  async decide(operator: Subject, id: string, body: DecideKycDto): Promise<AdminKycDetailDto> {
    const found = await this.find(id);
    if (found.user_id === operator.userId) throw kycReviewErrors.KYC_CASE_OWN();
    const { reason = null, note = null } = body;
    if (body.decision !== 'approve' && reason === null)
      throw kycReviewErrors.KYC_REASON_NEEDED({ field: 'reason' });
    const by = { operatorId: operator.userId, reason, note };
    const shown =
      body.decision === 'approve'
        ? this.numbers.of(found.document_kind, found.country, body.number ?? null)
        : null;
    await this.unitOfWork.run(async (manager) => {
      const held = await this.outcomes.hold(manager, found, shown);
      if (!held) throw kycReviewErrors.KYC_CASE_NOT_FOUND({ caseId: id });
      if (held.ban)
        throw kycReviewErrors.KYC_IDENTITY_BANNED({ until: held.ban.until?.toISOString() ?? null });
      const moved = await this.perform(manager, held.row, body, shown, by);
      if (!moved) throw kycReviewErrors.KYC_CASE_ALREADY_DECIDED({ state: held.row.status });
    });
    await this.plays.get().refreshUser(found.user_id);
    return await this.get(id);
  }

  private async perform(
    manager: EntityManager,
    row: KycCaseRow,
    { decision, birthDate, documentEnds }: DecideKycDto,
    numberIndex: Buffer | null,
    by: Decider,
  ): Promise<KycCaseRow | null> {
    switch (decision) {
      case 'approve': {
        // What has not been handed in has not been seen.
        if (row.status !== 'in_review') return null;
        if (birthDate === undefined) throw kycReviewErrors.KYC_BIRTH_DATE_NEEDED({ field: 'birthDate' });
        const today = this.clock.now().toISOString().slice(0, 10);
        if (birthDate >= today)
          throw httpErrors.VALIDATION_FAILED({ field: 'birthDate', problem: 'nobody is born yet' });
        if (documentEnds !== undefined && documentEnds < today)
          throw kycReviewErrors.KYC_DOCUMENT_EXPIRED({ field: 'documentEnds' });
        const proved = { birthDate, numberIndex, documentEnds: documentEnds ?? null };
        return await this.outcomes.verify(manager, row, proved, { ...by, reason: null });
      }
      case 'reject':
        return await this.outcomes.reject(manager, row, by);
      case 'revoke':
        return await this.outcomes.revoke(manager, row, by);
      default:
        return row.status === 'revoked'
          ? await this.outcomes.reopen(manager, row, by)
          : await this.outcomes.askAgain(manager, row, by);
    }
  }

  private async find(id: string): Promise<KycCaseRow> {
    const row = await this.repository.find(id);
    if (!row) throw kycReviewErrors.KYC_CASE_NOT_FOUND({ caseId: id });
    return row;
  }
}

function toDto(row: KycCaseRow): AdminKycDto {
  return {
    id: row.id,
    userId: row.user_id,
    state: row.status,
    provider: row.provider,
    document: row.document_kind,
    country: row.country,
    round: row.round,
    reason: row.reason,
    note: row.note,
    startedAt: row.created_at.toISOString(),
    submittedAt: row.submitted_at?.toISOString() ?? null,
    decidedAt: row.decided_at?.toISOString() ?? null,
    decidedBy: row.decided_by,
    expiresAt: row.expires_at?.toISOString() ?? null,
  };
}

function toDocumentDto(row: KycDocumentRow): KycDocumentDto {
  return {
    id: row.id,
    part: row.part,
    round: row.round,
    mediaType: row.media_type,
    bytes: row.bytes,
    sha256: row.sha256.toString('hex'),
    uploadedAt: row.uploaded_at.toISOString(),
  };
}
