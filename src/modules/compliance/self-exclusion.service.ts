import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Place } from '../../platform/geo/place.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import type { Subject } from '../../platform/security/subject.js';
import { returnErrors } from './compliance.errors.js';
import { ComplianceRepository } from './compliance.repository.js';
import { ComplianceService } from './compliance.service.js';
import { ComplianceStatusService } from './compliance-status.service.js';
import { exclusionEnd, returnsAt } from './domain/exclusion-term.js';
import type { ComplianceStatusDto } from './dto/compliance-status.dto.js';
import type { SelfExcludeDto, SelfExclusionDto } from './dto/self-exclusion.dto.js';
import { ExclusionsRepository } from './exclusions.repository.js';

/** Leaving, for a while or for long, and coming back. Nothing is asked of who leaves: no proof, no reason, no key. */
@Injectable()
export class SelfExclusionService {
  constructor(
    private readonly compliance: ComplianceService,
    private readonly statuses: ComplianceStatusService,
    private readonly repository: ComplianceRepository,
    private readonly exclusions: ExclusionsRepository,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Starts a time-out at once (UKGC SR 3.3.1). */
  async timeOut(subject: Subject, place: Place, days: number): Promise<ComplianceStatusDto> {
    await this.compliance.timeOut(subject.userId, days);
    return await this.statuses.status(subject, place);
  }

  /** Excludes at once; what stands already and is as long is answered again (UKGC SR 3.5.5, AGCO 2.14). */
  async declare(
    subject: Subject,
    place: Place,
    fingerprint: string | null,
    term: SelfExcludeDto,
  ): Promise<SelfExclusionDto> {
    const endsAt = exclusionEnd(this.clock.now(), term);
    const row = await this.compliance.exclude(subject.userId, endsAt, fingerprint);
    return {
      since: row.starts_at.toISOString(),
      until: row.ends_at?.toISOString() ?? null,
      refundedBets: row.refunded_bets ?? 0,
      refundedCredits: Number(row.refunded_credits ?? 0),
      standingBets: row.standing_bets ?? 0,
      status: await this.statuses.status(subject, place),
    };
  }

  /**
   * Asks to come back once the term is over, which takes a day more and nothing shortens (UKGC SR 3.5.6). Asked twice it is the first
   * asking that counts. Throws NOT_SELF_EXCLUDED, EXCLUSION_PERMANENT, EXCLUSION_NOT_OVER.
   */
  async askToReturn(subject: Subject, place: Place): Promise<ComplianceStatusDto> {
    const { userId } = subject;
    await this.unitOfWork.run(async (manager) => {
      await this.repository.shutGate(manager, userId); // an exclusion that is being declared comes before or after
      const askedAt = this.clock.now();
      const exclusion = await this.exclusions.findBarring(manager, userId, askedAt);
      if (!exclusion) throw returnErrors.NOT_SELF_EXCLUDED();
      const { ends_at: endedAt } = exclusion;
      if (endedAt === null) throw returnErrors.EXCLUSION_PERMANENT();
      if (endedAt > askedAt) throw returnErrors.EXCLUSION_NOT_OVER({ until: endedAt.toISOString() });
      const pending = await this.exclusions.findPendingReturn(manager, userId, askedAt);
      if (pending && pending.asked_at >= endedAt) return;
      const effectiveAt = returnsAt(askedAt);
      await this.exclusions.insertReturn(manager, { id: newId(), userId, askedAt, effectiveAt });
      await this.audit.record(manager, {
        actorId: userId,
        action: 'compliance.return-asked',
        subjectType: 'user',
        subjectId: userId,
        details: { exclusionId: exclusion.id, effectiveAt: effectiveAt.toISOString() },
      });
    });
    return await this.statuses.status(subject, place);
  }
}
