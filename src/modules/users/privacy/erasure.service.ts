import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { DeadlinesService } from '../../../platform/jobs/deadlines.service.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { PersonalDataService } from '../../../platform/privacy/personal-data.service.js';
import { ClosingRepository } from './closing.repository.js';
import { PRIVACY_DEADLINES, privacyEvents } from './privacy.events.js';

const DAY_MS = 86_400_000;

/** Erasing who has closed their account and stayed away. */
@Injectable()
export class ErasureService {
  constructor(
    private readonly repository: ClosingRepository,
    private readonly personalData: PersonalDataService,
    private readonly deadlines: DeadlinesService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * All of it or nothing, in one transaction, once: run again, it finds nothing to do, and neither does it for who came
   * back. While a stake is open it is put off by a day: the money or the credits are settled with a person first.
   */
  async eraseIfDue(userId: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const user = await this.repository.lockWithStakes(manager, userId);
      if (!user?.closing_at || user.status === 'erased' || user.closing_at > this.clock.now()) return;
      const open = await this.personalData.openMatters(manager, userId);
      if (open.length > 0) {
        const dueAt = new Date(this.clock.now().getTime() + DAY_MS);
        await this.deadlines.set(manager, PRIVACY_DEADLINES.erase, { subject: userId, dueAt });
        await this.record(manager, userId, 'user.erasure-postponed', { open });
        return;
      }
      await this.personalData.erase(manager, userId);
      await this.outbox.publish(manager, privacyEvents.erased, { userId });
      await this.record(manager, userId, 'user.erased', {});
    });
  }

  private async record(
    manager: EntityManager,
    userId: string,
    action: string,
    details: object,
  ): Promise<void> {
    await this.audit.record(manager, {
      actorId: null,
      action,
      subjectType: 'user',
      subjectId: userId,
      details,
    });
  }
}
