import { Injectable } from '@nestjs/common';
import type { Listed } from '../http/answers.js';
import { cursorPage, DEFAULT_LIMIT, readCursor } from '../http/pagination.js';
import type { AuditEntryDto, AuditQuery } from './audit-log.dto.js';
import { AuditLogRepository, type AuditRow } from './audit-log.repository.js';

const CURSOR = [/^\d{1,16}$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** Who did what, for those who answer for the place. What writes it is AuditService. */
@Injectable()
export class AuditLogService {
  constructor(private readonly repository: AuditLogRepository) {}

  /** Newest first. Throws INVALID_CURSOR. */
  async list(query: AuditQuery): Promise<Listed<AuditEntryDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const rows = await this.repository.list(
      {
        actorId: query.actor ?? null,
        subjectId: query.subject ?? null,
        action: query.action ?? null,
        from: query.from === undefined ? null : new Date(query.from),
        to: query.to === undefined ? null : new Date(query.to),
        after: readCursor(query.cursor, CURSOR),
      },
      limit + 1,
    );
    return cursorPage(rows, limit, (row) => [row.micros, row.id], toDto);
  }
}

function toDto(row: AuditRow): AuditEntryDto {
  return {
    id: row.id,
    at: row.at.toISOString(),
    actorId: row.actor_id,
    action: row.action,
    subjectType: row.subject_type,
    subjectId: row.subject_id,
    details: row.details,
    requestId: row.request_id,
  };
}
