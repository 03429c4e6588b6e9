import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Caller } from '../../../platform/http/caller.decorator.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { PasswordHasher } from '../../../platform/security/password-hasher.js';
import type { Subject } from '../../../platform/security/subject.js';
import { usersErrors } from '../../users/users.errors.js';
import { UsersService } from '../../users/users.service.js';
import { CredentialsRepository } from '../credentials.repository.js';
import type { DeviceTokenDto } from '../dto/auth.dto.js';
import { LockoutService } from '../lockout/lockout.service.js';
import { MailLinksService } from '../mail/mail-links.service.js';
import { SessionsService } from '../sessions.service.js';
import { ChallengesService } from '../totp/challenges.service.js';
import { PasswordPolicyService } from './password-policy.service.js';
import { passwordErrors } from './password.errors.js';
import { passwordChanged } from './password.events.js';
import { ReclaimingService } from './reclaiming.service.js';

/**
 * Setting another password: by a mailed link, or by the one there was. The user's row is locked first, so that a sign-in
 * that runs at the same time (it locks that row) is among those that end, or is refused.
 */
@Injectable()
export class PasswordChangesService {
  constructor(
    private readonly users: UsersService,
    private readonly credentials: CredentialsRepository,
    private readonly links: MailLinksService,
    private readonly sessions: SessionsService,
    private readonly challenges: ChallengesService,
    private readonly reclaiming: ReclaimingService,
    private readonly policy: PasswordPolicyService,
    private readonly lockout: LockoutService,
    private readonly hasher: PasswordHasher,
    private readonly audit: AuditService,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Mails a link to whoever has the address, if anybody; the worker finds out, and nothing here tells. */
  async forgot(email: string): Promise<void> {
    await this.unitOfWork.run((manager) => this.links.requestFor(manager, 'password_reset', email));
  }

  /**
   * Who reads the address sets a password and so has proved the address too; the first time, it is all that opens the account
   * then. Throws LINK_INVALID, PASSWORD_BREACHED.
   */
  async reset(token: string, password: string, caller: Caller): Promise<DeviceTokenDto> {
    const link = await this.links.prove('password_reset', token);
    await this.policy.require(password, link);
    const hash = await this.hasher.hash(password);
    return await this.unitOfWork.run(async (manager) => {
      await this.links.use(manager, link);
      await this.credentials.set(manager, link.userId, hash, this.clock.now());
      await this.links.endAll(manager, link.userId, 'email_verification');
      await this.challenges.endAll(manager, link.userId);
      await this.sessions.endAll(manager, link.userId, 'password_changed');
      await this.reclaiming.prove(manager, link.userId);
      const deviceToken = await this.lockout.startAnew(manager, link.userId, caller);
      await this.tell(manager, link.userId, 'reset');
      return { deviceToken };
    });
  }

  /**
   * Keeps the caller's session. Throws PASSWORD_WRONG and what LockoutService.guard does, PASSWORD_ABSENT,
   * PASSWORD_BREACHED.
   */
  async change(
    { userId, sessionId }: Subject,
    current: string,
    password: string,
    caller: Caller,
  ): Promise<void> {
    const stored = await this.credentials.findPasswordHash(userId);
    if (stored === null) throw passwordErrors.PASSWORD_ABSENT();
    const matches = await this.lockout.guard('password', { userId, identifier: '' }, caller, () =>
      this.hasher.verify(stored, current),
    );
    if (!matches) throw usersErrors.PASSWORD_WRONG({ field: 'currentPassword' });
    await this.policy.require(password, await this.users.get(userId), 'newPassword');
    const hash = await this.hasher.hash(password);
    await this.unitOfWork.run(async (manager) => {
      await this.users.lock(manager, userId);
      if (!(await this.credentials.change(manager, userId, stored, hash, this.clock.now())))
        throw usersErrors.PASSWORD_WRONG({ field: 'currentPassword' });
      await this.links.endAll(manager, userId, 'password_reset');
      await this.challenges.endAll(manager, userId);
      await this.sessions.endAll(manager, userId, 'password_changed', sessionId);
      await this.tell(manager, userId, 'change');
    });
  }

  private async tell(manager: EntityManager, userId: string, by: 'reset' | 'change'): Promise<void> {
    await this.audit.record(manager, {
      actorId: userId,
      action: 'auth.password-changed',
      subjectType: 'user',
      subjectId: userId,
      details: { by },
    });
    await this.outbox.publish(manager, passwordChanged, { userId, by });
  }
}
