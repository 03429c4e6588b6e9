import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import { UsersService } from '../../users/users.service.js';
import { mailErrors } from './mail.errors.js';
import { MailLinksService } from './mail-links.service.js';

/** Proving that an account's email is its user's. The first link is asked for when the account is opened. */
@Injectable()
export class EmailVerificationService {
  constructor(
    private readonly users: UsersService,
    private readonly links: MailLinksService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * The link alone proves the address but not whose the account is: who opened it with another's address would have them verify
   * it. So it counts in a session of its account only. Throws LINK_INVALID.
   */
  async verify({ userId }: Subject, token: string): Promise<void> {
    const link = await this.links.prove('email_verification', token);
    if (link.userId !== userId) throw mailErrors.LINK_INVALID();
    await this.unitOfWork.run(async (manager) => {
      await this.links.use(manager, link);
      await this.users.markEmailVerified(manager, link.userId);
      await this.audit.record(manager, {
        actorId: link.userId,
        action: 'auth.email-verified',
        subjectType: 'user',
        subjectId: link.userId,
        details: {},
      });
    });
  }

  /** Throws EMAIL_MISSING, EMAIL_ALREADY_VERIFIED, RATE_LIMITED. */
  async sendAgain({ userId }: Subject): Promise<void> {
    const { email, emailVerified } = await this.users.get(userId);
    if (email === null) throw mailErrors.EMAIL_MISSING();
    if (emailVerified) throw mailErrors.EMAIL_ALREADY_VERIFIED();
    await this.unitOfWork.run(async (manager) => {
      await this.links.requireAllowance(manager, 'email_verification', userId);
      await this.links.request(manager, 'email_verification', userId);
    });
  }
}
