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
import { KycHoldersRepository } from './kyc-holders.repository.js';
import { type HeldCase, KycOutcomesService } from './kyc-outcomes.service.js';
import { KycRepository } from './kyc.repository.js';
import { type Decider, DOCUMENT_ELSEWHERE, type KycCaseRow, type KycDocumentRow } from './kyc.types.js';

const UUID = /^[0-9a-f-]{36}$/;

/** An operator's part: the queue, and the word that counts. */
@Injectable()
export class KycReviewService {
  constructor(
    private readonly repository: KycRepository,
    private readonly documents: KycDocumentsRepository,
    private readonly holders: KycHoldersRepository,
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
    const others = row.number_index && (await this.holders.othersWith(row.number_index, row.user_id));
    return Object.assign(toDto(row), {
      birthDate: user.birthDate,
      othersWithDocument: others ?? 0,
      documents: documents.map(toDocumentDto),
    });
  }

  /**
   * Of two operators at once the first decides, and only about what they have seen. Once this answers, requests of the user go by it.
   * Throws KYC_CASE_NOT_FOUND, KYC_CASE_OWN, KYC_CHANGED, KYC_CASE_ALREADY_DECIDED, KYC_DOCUMENT_ELSEWHERE, KYC_BIRTH_DATE_NEEDED,
   * KYC_REASON_NEEDED, KYC_DOCUMENT_EXPIRED, KYC_IDENTITY_BANNED.
   */
  async decide(operator: Subject, id: string, body: DecideKycDto): Promise<AdminKycDetailDto> {
    const found = await this.find(id);
    if (found.user_id === operator.userId) throw kycReviewErrors.KYC_CASE_OWN();
    const { reason = null, note = null } = body;
    if (body.decision !== 'approve' && reason === null)
      throw kycReviewErrors.KYC_REASON_NEEDED({ field: 'reason' });
    const by = { operatorId: operator.userId, reason, note };
    const shown = body.decision === 'approve' ? this.shownBy(found, body) : null;
    const refusal = await this.unitOfWork.run(async (manager) => {
      const held = await this.outcomes.hold(manager, found, shown);
      if (!held) throw kycReviewErrors.KYC_CASE_NOT_FOUND({ caseId: id });
      requireSeen(held.row, found, body, shown);
      if (held.ban)
        throw kycReviewErrors.KYC_IDENTITY_BANNED({ until: held.ban.until?.toISOString() ?? null });
      if (isDoubted(held, body)) {
        // Not thrown from here: the case says it from now on, and an exclusion that the document has brought stays.
        await this.repository.explain(manager, id, DOCUMENT_ELSEWHERE, shown);
        return kycReviewErrors.KYC_DOCUMENT_ELSEWHERE({ accounts: held.elsewhere });
      }
      const moved = await this.perform(manager, held.row, body, shown, by);
      if (!moved) throw kycReviewErrors.KYC_CASE_ALREADY_DECIDED({ state: held.row.status });
      return null;
    });
    await this.plays.get().refreshUser(found.user_id);
    if (refusal) throw refusal;
    return await this.get(id);
  }

  /** What the operator reads from the document, or what a provider has read or an operator before them. */
  private shownBy(
    { document_kind: kind, country, number_index: known }: KycCaseRow,
    { number }: DecideKycDto,
  ) {
    return number === undefined ? known : this.numbers.of(kind, country, number);
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

/**
 * Throws KYC_CHANGED when the case has gone on since it was looked at. Choosing another document begins a round too, so that the number was
 * taken for one of what is chosen now; a number that was known before is asked for again, since a provider may have read it meanwhile.
 */
function requireSeen(
  row: KycCaseRow,
  seen: KycCaseRow,
  { decision, round, number }: DecideKycDto,
  shown: Buffer | null,
): void {
  const asKnown = decision === 'approve' && number === undefined && row.status === 'in_review';
  const known = row.number_index?.toString('hex');
  if (row.round !== round || seen.round !== round || (asKnown && known !== shown?.toString('hex')))
    throw kycReviewErrors.KYC_CHANGED({ round: row.round });
}

function isDoubted({ row, elsewhere }: HeldCase, { decision, secondAccount }: DecideKycDto): boolean {
  return decision === 'approve' && row.status === 'in_review' && elsewhere > 0 && secondAccount !== true;
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
