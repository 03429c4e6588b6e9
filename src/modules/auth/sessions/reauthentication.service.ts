import { Injectable } from '@nestjs/common';
import type { Caller } from '../../../platform/http/caller.decorator.js';
import { PasswordHasher } from '../../../platform/security/password-hasher.js';
import type { Subject } from '../../../platform/security/subject.js';
import { CredentialsRepository } from '../credentials.repository.js';
import { LockoutService } from '../lockout/lockout.service.js';
import { SessionsService } from '../sessions.service.js';
import { usersErrors } from '../../users/users.errors.js';

/** Proving oneself again in a session. Other proofs than the password end in SessionsService.reauthenticated as well. */
@Injectable()
export class ReauthenticationService {
  constructor(
    private readonly credentials: CredentialsRepository,
    private readonly hasher: PasswordHasher,
    private readonly lockout: LockoutService,
    private readonly sessions: SessionsService,
  ) {}

  /** Throws PASSWORD_WRONG, also when the account has none, and what LockoutService.guard does. */
  async byPassword(subject: Subject, password: string, caller: Caller): Promise<void> {
    const { userId } = subject;
    const stored = await this.credentials.findPasswordHash(userId);
    const right = await this.lockout.guard('password', { userId, identifier: userId }, caller, () =>
      this.hasher.verify(stored, password),
    );
    if (!right) throw usersErrors.PASSWORD_WRONG({ field: 'password' });
    await this.sessions.reauthenticated(subject);
  }
}
