import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Caller } from '../../platform/http/caller.decorator.js';
import { PasswordHasher } from '../../platform/security/password-hasher.js';
import { AccountsService } from './accounts.service.js';
import { authErrors } from './auth.errors.js';
import { CredentialsRepository } from './credentials.repository.js';
import type { LoginDto, RegisterDto, SignedInDto } from './dto/auth.dto.js';
import { LockoutService } from './lockout/lockout.service.js';
import { PasswordPolicyService } from './password/password-policy.service.js';
import { SignInService } from './sign-in.service.js';

/** The way in by email and password. */
@Injectable()
export class PasswordsService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly signIn: SignInService,
    private readonly credentials: CredentialsRepository,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicyService,
    private readonly lockout: LockoutService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Throws EMAIL_TAKEN, HANDLE_TAKEN, TERMS_VERSION_OUTDATED, PASSWORD_BREACHED. */
  async register(body: RegisterDto, caller: Caller): Promise<SignedInDto> {
    await this.policy.require(body.password, body);
    const passwordHash = await this.hasher.hash(body.password);
    const outcome = await this.unitOfWork.run(async (manager) => {
      const user = await this.accounts.open(manager, body, { address: body.email.trim(), verified: false });
      await this.credentials.insert(manager, user.id, passwordHash, this.clock.now());
      return await this.signIn.complete(manager, { userId: user.id, proof: 'password', caller });
    });
    return this.signIn.answer(outcome);
  }

  /**
   * Throws INVALID_CREDENTIALS and what LockoutService.guard does, which do not tell whether the account exists; once the
   * password is right BANNED, SECOND_FACTOR_REQUIRED.
   */
  async login(body: LoginDto, caller: Caller): Promise<SignedInDto> {
    const account = await this.credentials.findByEmail(body.email.trim());
    const stored = account?.passwordHash ?? null;
    const target = { userId: account?.userId ?? null, identifier: body.email };
    const matches = await this.lockout.guard('password', target, caller, () =>
      this.hasher.verify(stored, body.password),
    );
    if (!account || stored === null || !matches) throw authErrors.INVALID_CREDENTIALS();
    const renewed = this.hasher.isOutdated(stored) ? await this.hasher.hash(body.password) : null;
    const signIn = { userId: account.userId, proof: 'password', caller } as const;
    const outcome = await this.unitOfWork.run((manager) =>
      // A password that was changed since it was compared opens no session: those it had opened have just been ended.
      this.signIn.complete(manager, signIn, async () =>
        (await this.credentials.confirm(manager, account.userId, stored, renewed))
          ? null
          : authErrors.INVALID_CREDENTIALS(),
      ),
    );
    return this.signIn.answer(outcome);
  }
}
