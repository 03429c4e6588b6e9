import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { DeadlinesService } from '../../../platform/jobs/deadlines.service.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { usersErrors } from '../users.errors.js';
import { ClosingRepository } from './closing.repository.js';
import { privacyErrors } from './privacy.errors.js';
import { PRIVACY_DEADLINES, privacyEvents } from './privacy.events.js';

const DAY_MS = 86_400_000;

/** The days between closing an account and erasing it. */
@Injectable()
export class ClosingService {
  constructor(
    private readonly repository: ClosingRepository,
    private readonly deadlines: DeadlinesService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * When the account will be erased: closed again it keeps its first day. Nothing stands in the way of closing; what is
   * still open on that day then only postpones the erasure.
   */
  async close(manager: EntityManager, userId: string): Promise<Date> {
    const due = new Date(this.clock.now().getTime() + this.rules.privacy.closingDays * DAY_MS);
    const closing = await this.repository.close(manager, userId, due);
    if (!closing) throw usersErrors.USER_NOT_FOUND({ userId });
    if (closing.isNew) {
      const closingAt = due.toISOString();
      await this.deadlines.set(manager, PRIVACY_DEADLINES.erase, { subject: userId, dueAt: due });
      await this.outbox.publish(manager, privacyEvents.closing, { userId, closingAt });
      await this.record(manager, userId, 'user.closing', { closingAt });
    }
    return closing.closingAt;
  }

  /** As long as nothing has been erased; the deadline that is left finds nothing to do. Throws ACCOUNT_NOT_CLOSING. */
  async restore(manager: EntityManager, userId: string): Promise<void> {
    if (!(await this.repository.restore(manager, userId))) throw privacyErrors.ACCOUNT_NOT_CLOSING();
    await this.outbox.publish(manager, privacyEvents.restored, { userId });
    await this.record(manager, userId, 'user.restored', {});
  }

  private async record(
    manager: EntityManager,
    userId: string,
    action: string,
    details: object,
  ): Promise<void> {
    await this.audit.record(manager, {
      actorId: userId,
      action,
      subjectType: 'user',
      subjectId: userId,
      details,
    });
  }
}
