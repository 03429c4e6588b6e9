import { Injectable } from '@nestjs/common';
import type { Listed } from '../http/answers.js';
import { cursorPage, DEFAULT_LIMIT, readCursor } from '../http/pagination.js';
import type { AuditEntryDto, AuditFilterQuery, AuditQuery } from './audit-log.dto.js';
import { type AuditFilter, AuditLogRepository, type AuditRow } from './audit-log.repository.js';

const CURSOR = [/^\d{1,16}$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** Who did what, for those who answer for the place. What writes it is AuditService. */
@Injectable()
export class AuditLogService {
  constructor(private readonly repository: AuditLogRepository) {}

  /** Newest first. Throws INVALID_CURSOR. */
  async list(query: AuditQuery): Promise<Listed<AuditEntryDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const [micros, id] = readCursor(query.cursor, CURSOR) ?? [];
    const after = micros === undefined || id === undefined ? null : { micros, id };
    const rows = await this.repository.newest(filterOf(query), after, limit + 1);
    return cursorPage(rows, limit, (row) => [row.micros, row.id], toDto);
  }
}

export function filterOf(query: AuditFilterQuery): AuditFilter {
  return {
    actorId: query.actor ?? null,
    subjectType: query.subjectType ?? null,
    subjectId: query.subject ?? null,
    action: query.action ?? null,
    requestId: query.requestId ?? null,
    from: query.from === undefined ? null : new Date(query.from),
    to: query.to === undefined ? null : new Date(query.to),
  };
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
