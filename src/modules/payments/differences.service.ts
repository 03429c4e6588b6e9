import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Listed } from '../../platform/http/answers.js';
import { cursorPage, DEFAULT_LIMIT, readCursor } from '../../platform/http/pagination.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import type { Subject } from '../../platform/security/subject.js';
import type { DifferenceDto, DifferencesQuery } from './dto/refunds.dto.js';
import { paymentsErrors } from './payments.errors.js';
import { type DifferenceRow, ReconciliationRepository } from './reconciliation.repository.js';

const DIFFERENCE_ID = [/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** What operators see of where the books differ. */
@Injectable()
export class DifferencesService {
  constructor(
    private readonly repository: ReconciliationRepository,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Newest first. */
  async list(query: DifferencesQuery): Promise<Listed<DifferenceDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const rows = await this.repository.list({
      open: query.status !== 'resolved',
      before: readCursor(query.cursor, DIFFERENCE_ID)?.[0] ?? null,
      limit: limit + 1,
    });
    return cursorPage(rows, limit, (row) => [row.id], toDifferenceDto);
  }

  async resolve({ userId }: Subject, id: string, note: string): Promise<DifferenceDto> {
    return await this.unitOfWork.run(async (manager) => {
      const by = { adminId: userId, note, now: this.clock.now() };
      const row = await this.repository.resolve(manager, id, by);
      if (!row) throw paymentsErrors.DIFFERENCE_NOT_FOUND({ id });
      await this.audit.record(manager, {
        actorId: userId,
        action: 'payment.difference-resolved',
        subjectType: 'payment_difference',
        subjectId: id,
        details: { kind: row.kind, provider: row.provider },
      });
      return toDifferenceDto(row);
    });
  }
}

function toDifferenceDto(row: DifferenceRow): DifferenceDto {
  return {
    id: row.id,
    provider: row.provider,
    kind: row.kind,
    reference: row.reference,
    paymentId: row.payment_id,
    ours: row.ours === null ? null : Number(row.ours),
    theirs: row.theirs === null ? null : Number(row.theirs),
    currency: row.currency,
    foundAt: row.found_at.toISOString(),
    resolvedAt: row.resolved_at?.toISOString() ?? null,
    note: row.note,
  };
}
