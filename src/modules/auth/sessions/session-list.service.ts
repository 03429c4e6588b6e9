import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Listed } from '../../../platform/http/answers.js';
import {
  type CursorQuery,
  cursorPage,
  DEFAULT_LIMIT,
  readCursor,
} from '../../../platform/http/pagination.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import { UsersService } from '../../users/users.service.js';
import { SessionCache } from '../session-cache.js';
import { type SessionListRow, SessionsRepository } from '../sessions.repository.js';
import { SessionsService } from '../sessions.service.js';
import { sessionErrors } from './session.errors.js';
import type { IdleTimeoutDto, SessionDto } from './dto/sessions.dto.js';

const CURSOR = [/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** What users see of their sessions, and do about them. */
@Injectable()
export class SessionListService {
  constructor(
    private readonly repository: SessionsRepository,
    private readonly sessions: SessionsService,
    private readonly cache: SessionCache,
    private readonly users: UsersService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** The latest first. Throws INVALID_CURSOR. */
  async list(subject: Subject, query: CursorQuery): Promise<Listed<SessionDto>> {
    const { limit = DEFAULT_LIMIT } = query;
    const [after = null] = readCursor(query.cursor, CURSOR) ?? [];
    const rows = await this.repository.list(subject.userId, this.clock.now(), after, limit + 1);
    return cursorPage(
      rows,
      limit,
      ({ id }) => [id],
      (row) => toDto(row, subject.sessionId),
    );
  }

  /** Throws SESSION_NOT_FOUND, for another's as for none. */
  async end({ userId }: Subject, sessionId: string): Promise<void> {
    if (!(await this.sessions.end({ sessionId, userId }, 'ended_by_user')))
      throw sessionErrors.SESSION_NOT_FOUND({ sessionId });
  }

  /** Every session of the user, this one too. No request is let in once this has answered. */
  async endAll({ userId }: Subject): Promise<void> {
    const ended = await this.unitOfWork.run(async (manager) => {
      await this.users.lock(manager, userId); // of the sign-ins at the same time none is left over
      const ids = await this.repository.endAll(manager, userId, 'ended_by_user', this.clock.now(), null);
      await this.audit.record(manager, {
        actorId: userId,
        action: 'auth.sessions-ended',
        subjectType: 'user',
        subjectId: userId,
        details: { sessions: ids.length },
      });
      return ids;
    });
    await this.cache.bury(...ended);
  }

  async idleTimeout({ userId, endsIdle }: Subject): Promise<IdleTimeoutDto> {
    return this.toTimeout(await this.repository.findIdleSeconds(userId), endsIdle);
  }

  /** For all sessions of the user, from their next requests on. Throws IDLE_TIMEOUT_TOO_LONG. */
  async chooseIdleTimeout({ userId, endsIdle }: Subject, seconds: number): Promise<IdleTimeoutDto> {
    const { seconds: max } = this.rules.auth.idle;
    if (seconds > max) throw sessionErrors.IDLE_TIMEOUT_TOO_LONG({ field: 'seconds', max });
    await this.repository.chooseIdleSeconds(userId, seconds);
    await this.sessions.rereadAll(userId);
    return this.toTimeout(seconds, endsIdle);
  }

  private toTimeout(chosen: number | null, endsIdle: boolean): IdleTimeoutDto {
    const { seconds: max, policy } = this.rules.auth.idle;
    return { seconds: Math.min(chosen ?? max, max), max, policy: endsIdle ? 'end' : policy };
  }
}

function toDto(row: SessionListRow, current: string): SessionDto {
  return {
    id: row.id,
    device: row.device,
    place: row.network,
    proof: row.proof,
    bound: row.jkt !== null,
    current: row.id === current,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    expiresAt: row.expires_at,
  };
}
