import { Injectable } from '@nestjs/common';
import type { Caller } from '../../platform/http/caller.decorator.js';
import { PasswordHasher } from '../../platform/security/password-hasher.js';
import { authErrors } from './auth.errors.js';
import { CredentialsRepository } from './credentials.repository.js';
import type { LoginDto, SignedInDto } from './dto/auth.dto.js';
import { LockoutService } from './lockout/lockout.service.js';
import { SignInService } from './sign-in.service.js';

/** The way in by email and password. */
@Injectable()
export class PasswordsService {
  constructor(
    private readonly signIn: SignInService,
    private readonly credentials: CredentialsRepository,
    private readonly hasher: PasswordHasher,
    private readonly lockout: LockoutService,
  ) {}

  /**
   * Throws INVALID_CREDENTIALS and what LockoutService.guard does, which do not tell whether the account exists; once the
   * password is right BANNED, SECOND_FACTOR_REQUIRED.
   */
  async login(body: LoginDto, caller: Caller): Promise<SignedInDto> {
    const account = await this.credentials.findByEmail(body.email.trim());
    const stored = account?.passwordHash ?? null;
    const target = { userId: account?.userId ?? null, identifier: body.email };
    const outcome = await this.lockout.guardUntil(
      'password',
      target,
      caller,
      () => this.hasher.verify(stored, body.password),
      async (attempt) => {
        if (!account || stored === null) throw authErrors.INVALID_CREDENTIALS();
        const { userId, numberIndex } = account;
        const renewed = this.hasher.isOutdated(stored) ? await this.hasher.hash(body.password) : null;
        const password = { compared: stored, renewed, attempt, numberIndex };
        return await this.signIn.completeByPassword({ userId, proof: 'password', caller }, password);
      },
    );
    if (outcome === null) throw authErrors.INVALID_CREDENTIALS();
    return await this.signIn.answer(outcome);
  }
}
