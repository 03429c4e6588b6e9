import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Listed } from '../../../platform/http/answers.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import { ReportsService } from '../../users/reports/reports.service.js';
import type { Report } from '../../users/reports/reports.types.js';
import { RecentProofService } from '../sessions/recent-proof.service.js';
import { longerBan } from './domain/say.js';
import type { DecideReportDto, ReportDto, ReportsQuery } from './dto/reports-admin.dto.js';
import { userWarned } from './moderation.events.js';
import { StandingChangesService } from './standing-changes.service.js';

const DAY_MS = 86_400_000;

/** The moderators' queue: what users have reported, and what becomes of it. */
@Injectable()
export class ModerationService {
  constructor(
    private readonly reports: ReportsService,
    private readonly changes: StandingChangesService,
    private readonly proofs: RecentProofService,
    private readonly audit: AuditService,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  async list(query: ReportsQuery): Promise<Listed<ReportDto>> {
    return await this.reports.list(query, toDto);
  }

  /**
   * Decides a report, and with it every open one on the same subject; a ban comes in the same transaction, a warning is told
   * by mail after it. Throws PROOF_TOO_OLD of the operator's own session, where it bans; REPORT_NOT_FOUND, REPORT_ALREADY_DECIDED and what StandingChangesService throws.
   */
  async decide(subject: Subject, id: string, body: DecideReportDto): Promise<ReportDto> {
    const { decision, banDays, note } = body;
    if (banDays !== undefined && decision !== 'ban')
      throw httpErrors.VALIDATION_FAILED({ problem: 'banDays goes with the decision ban' });
    if (decision === 'ban') await this.proofs.require(subject);
    const report = await this.reports.get(id);
    await this.unitOfWork.run(async (manager) => {
      const bans = decision === 'ban';
      const parties = await this.changes.begin(manager, subject, report.userId, { bans });
      const closed = await this.reports.decide(manager, report, {
        event: decision,
        by: subject.userId,
        note,
      });
      if (bans) {
        const until = longerBan(parties.target, this.endOf(banDays));
        await this.changes.apply(manager, parties, { ban: { until } }, report.reason);
      }
      if (decision === 'warn') await this.outbox.publish(manager, userWarned, { userId: report.userId });
      await this.audit.record(manager, {
        actorId: subject.userId,
        action: 'report.decided',
        subjectType: 'report',
        subjectId: report.id,
        details: { decision, userId: report.userId, reports: closed },
      });
    });
    return toDto(await this.reports.get(id));
  }

  private endOf(days: number | undefined): Date | null {
    return days === undefined ? null : new Date(this.clock.now().getTime() + days * DAY_MS);
  }
}

function toDto({ createdAt, decidedAt, ...report }: Report): ReportDto {
  return {
    ...report,
    createdAt: createdAt.toISOString(),
    decidedAt: decidedAt?.toISOString() ?? null,
  };
}
