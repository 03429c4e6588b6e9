import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { UsersService } from '../../users/users.service.js';
import { accountReclaimed } from './password.events.js';
import { ReclaimingRepository } from './reclaiming.repository.js';

/**
 * Gives an account to who reads its address. Anybody may open one with an address that is not theirs and wait for its owner to
 * take it over: until the address is proved nothing tells whose the telephone, the provider and the second factor are.
 */
@Injectable()
export class ReclaimingService {
  constructor(
    private readonly repository: ReclaimingRepository,
    private readonly users: UsersService,
    private readonly audit: AuditService,
    private readonly outbox: OutboxService,
    private readonly clock: Clock,
  ) {}

  /**
   * Marks the address as proved, by somebody without a session. If that is the first time, no other way in than the password
   * that they set stays. Joins the caller's transaction, which has locked the user and ended the sessions: what one of them was
   * adding is there by now, or will not come.
   */
  async prove(manager: EntityManager, userId: string): Promise<void> {
    if (!(await this.users.markEmailVerified(manager, userId))) return;
    const removed = await this.repository.removeWaysIn(manager, userId, this.clock.now());
    await this.audit.record(manager, {
      actorId: userId,
      action: 'auth.account-reclaimed',
      subjectType: 'user',
      subjectId: userId,
      details: removed,
    });
    if (Object.values(removed).some((count) => count > 0))
      await this.outbox.publish(manager, accountReclaimed, { userId });
  }
}
