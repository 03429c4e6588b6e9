import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Caller } from '../../../platform/http/caller.decorator.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { PasswordHasher } from '../../../platform/security/password-hasher.js';
import type { Subject } from '../../../platform/security/subject.js';
import { ClosingService } from '../../users/privacy/closing.service.js';
import { usersErrors } from '../../users/users.errors.js';
import { CredentialsRepository } from '../credentials.repository.js';
import { LockoutService } from '../lockout/lockout.service.js';
import { RecentProofService } from '../sessions/recent-proof.service.js';
import { SessionsService } from '../sessions.service.js';
import type { ClosingDto } from './dto/account-closing.dto.js';

/** Closing one's account, for who has proved to be its owner, and changing one's mind. */
@Injectable()
export class AccountClosingService {
  constructor(
    private readonly closing: ClosingService,
    private readonly credentials: CredentialsRepository,
    private readonly hasher: PasswordHasher,
    private readonly lockout: LockoutService,
    private readonly sessions: SessionsService,
    private readonly proofs: RecentProofService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Ends every session at once; the erasure comes later. Throws PASSWORD_WRONG, PROOF_TOO_OLD and what
   * LockoutService.guard does.
   */
  async close(subject: Subject, password: string | undefined, caller: Caller): Promise<ClosingDto> {
    const stored = await this.credentials.findPasswordHash(subject.userId);
    if (stored === null) await this.proofs.require(subject);
    else await this.requirePassword(subject, stored, password, caller);
    const closingAt = await this.unitOfWork.run(async (manager) => {
      const due = await this.closing.close(manager, subject.userId);
      await this.sessions.endAll(manager, subject.userId, 'ended_by_user');
      return due;
    });
    return { closingAt: closingAt.toISOString() };
  }

  /** Throws ACCOUNT_NOT_CLOSING. */
  async restore({ userId }: Subject): Promise<void> {
    await this.unitOfWork.run((manager) => this.closing.restore(manager, userId));
  }

  private async requirePassword(
    { userId }: Subject,
    stored: string,
    password: string | undefined,
    caller: Caller,
  ): Promise<void> {
    if (password === undefined)
      throw httpErrors.VALIDATION_FAILED({
        fields: [{ field: 'password', problems: ['password is needed to close this account'] }],
      });
    const right = await this.lockout.guard('password', { userId, identifier: userId }, caller, () =>
      this.hasher.verify(stored, password),
    );
    if (!right) throw usersErrors.PASSWORD_WRONG({ field: 'password' });
  }
}
