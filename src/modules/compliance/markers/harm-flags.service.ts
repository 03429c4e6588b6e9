import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Listed } from '../../../platform/http/answers.js';
import { cursorPage, DEFAULT_LIMIT, readCursor } from '../../../platform/http/pagination.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import type { DecideHarmFlagDto, HarmFlagDto, HarmFlagsQuery } from './dto/harm-flags.dto.js';
import { type FlagRow, HarmFlagsRepository } from './harm-flags.repository.js';
import { harmErrors } from './markers.errors.js';

const CURSOR = [/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** Who is to be looked at, and what was done about it. */
@Injectable()
export class HarmFlagsService {
  constructor(
    private readonly repository: HarmFlagsRepository,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** The oldest first. Throws INVALID_CURSOR. */
  async list(query: HarmFlagsQuery): Promise<Listed<HarmFlagDto>> {
    const { limit = DEFAULT_LIMIT, status = 'open' } = query;
    const [after = null] = readCursor(query.cursor, CURSOR) ?? [];
    const filter = {
      decided: status === 'decided',
      userId: query.userId ?? null,
      marker: query.marker ?? null,
      leastScore: query.leastScore ?? null,
    };
    const rows = await this.repository.list(filter, after, limit + 1);
    return cursorPage(rows, limit, ({ id }) => [id], toDto);
  }

  /** Of several who decide at once the first one does. Throws HARM_FLAG_NOT_FOUND, HARM_FLAG_ALREADY_DECIDED. */
  async decide({ userId: by }: Subject, id: string, body: DecideHarmFlagDto): Promise<HarmFlagDto> {
    const { decision, note } = body;
    const done = await this.unitOfWork.run(async (manager) => {
      const now = this.clock.now();
      const decided = await this.repository.decide(manager, id, { decision, note, by, now });
      if (decided === null) return false;
      await this.audit.record(manager, {
        actorId: by,
        action: 'compliance.harm-flag-decided',
        subjectType: 'user',
        subjectId: decided.userId,
        details: { flagId: id, decision, score: decided.score },
      });
      return true;
    });
    const flag = await this.repository.find(id);
    if (flag === null) throw harmErrors.HARM_FLAG_NOT_FOUND({ id });
    if (!done) throw harmErrors.HARM_FLAG_ALREADY_DECIDED({ decision: flag.decision });
    return toDto(flag);
  }
}

function toDto(row: FlagRow): HarmFlagDto {
  return {
    id: row.id,
    userId: row.user_id,
    handle: row.handle,
    status: row.decided_at === null ? 'open' : 'decided',
    firstDay: row.first_day,
    day: row.day,
    score: row.score,
    markers: row.markers,
    createdAt: row.created_at.toISOString(),
    decidedAt: row.decided_at?.toISOString() ?? null,
    decidedBy: row.decided_by,
    decision: row.decision,
    note: row.decision_note,
  };
}
