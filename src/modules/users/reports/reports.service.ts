import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { newId } from '../../../platform/database/ids.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Listed } from '../../../platform/http/answers.js';
import { cursorPage, DEFAULT_LIMIT, readCursor } from '../../../platform/http/pagination.js';
import { usersErrors } from '../users.errors.js';
import { UsersService } from '../users.service.js';
import { reportMachine } from './domain/report-machine.js';
import type { FiledReportDto, NewReportDto } from './dto/reports.dto.js';
import { reportsErrors } from './reports.errors.js';
import { type FiledReportRow, ReportsRepository } from './reports.repository.js';
import type { Report, ReportDecision, ReportState } from './reports.types.js';

const DAY_MS = 86_400_000;
const REPORT_ID = [/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** What users report of each other, kept for moderators. What a decision does to the user is done above, in `auth`. */
@Injectable()
export class ReportsService {
  constructor(
    private readonly repository: ReportsRepository,
    private readonly users: UsersService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Reports a user. Who has an open report on the same subject gets that one again.
   * Throws CANNOT_REPORT_YOURSELF, USER_NOT_FOUND, REPORT_LIMIT_REACHED.
   */
  async reportUser(reporterId: string, userId: string, body: NewReportDto): Promise<FiledReportDto> {
    if (reporterId === userId) throw reportsErrors.CANNOT_REPORT_YOURSELF();
    const user = await this.users.get(userId);
    if (user.status === 'erased') throw usersErrors.USER_NOT_FOUND({ userId });
    const row = {
      id: newId(),
      reporter_id: reporterId,
      subject_type: body.subjectType ?? ('user' as const),
      subject_id: user.id,
      user_id: user.id,
      reason: body.reason,
      note: body.note ?? null,
      created_at: this.clock.now(),
    };
    return await this.unitOfWork.run(async (manager) => {
      await this.repository.lockReporter(manager, reporterId);
      const filed = await this.repository.findOpen(manager, row);
      if (filed) return toFiled(filed);
      await this.requireRoom(manager, reporterId, row.created_at);
      await this.repository.insert(manager, row);
      return toFiled(row);
    });
  }

  /** Throws REPORT_NOT_FOUND. */
  async get(id: string): Promise<Report> {
    const report = await this.repository.find(id);
    if (!report) throw reportsErrors.REPORT_NOT_FOUND({ reportId: id });
    return report;
  }

  /** Oldest first. Throws INVALID_CURSOR. */
  async list<Item>(
    query: { status?: ReportState; cursor?: string; limit?: number },
    toItem: (report: Report) => Item,
  ): Promise<Listed<Item>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const after = readCursor(query.cursor, REPORT_ID)?.[0] ?? null;
    const rows = await this.repository.list(query.status ?? 'open', after, limit + 1);
    return cursorPage(rows, limit, (report) => [report.id], toItem);
  }

  /**
   * Decides a report and with it every open one on the same subject; how many. Of those who decide at once one does.
   * Throws REPORT_ALREADY_DECIDED.
   */
  async decide(
    manager: EntityManager,
    report: Report,
    decision: { event: ReportDecision; by: string; note: string },
  ): Promise<number> {
    const { event, by, note } = decision;
    const status = reportMachine.next('open', event);
    if (status === null) throw new Error(`no report can be decided by ${event}`);
    const { count, included } = await this.repository.decide(manager, report, reportMachine.from(event), {
      status,
      by,
      note,
      now: this.clock.now(),
    });
    if (!included) throw reportsErrors.REPORT_ALREADY_DECIDED({ reportId: report.id });
    return count;
  }

  private async requireRoom(manager: EntityManager, reporterId: string, now: Date): Promise<void> {
    const limit = this.rules.auth.moderation.reportsPerDay;
    const since = new Date(now.getTime() - DAY_MS);
    const reached = await this.repository.limitReachedAt(manager, reporterId, since, limit);
    if (reached === null) return;
    const retryAfter = Math.ceil((reached.getTime() - since.getTime()) / 1000);
    throw reportsErrors.REPORT_LIMIT_REACHED({ limit, retryAfter: Math.max(1, retryAfter) });
  }
}

function toFiled(row: FiledReportRow): FiledReportDto {
  return {
    id: row.id,
    subjectType: row.subject_type,
    subjectId: row.subject_id,
    reason: row.reason,
    note: row.note,
    status: 'open',
    createdAt: row.created_at.toISOString(),
  };
}
