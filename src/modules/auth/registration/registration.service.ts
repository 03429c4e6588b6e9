import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Caller } from '../../../platform/http/caller.decorator.js';
import { DomainError } from '../../../platform/http/domain-error.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { PasswordHasher } from '../../../platform/security/password-hasher.js';
import { usersErrors } from '../../users/users.errors.js';
import { UsersService } from '../../users/users.service.js';
import { AccountsService } from '../accounts.service.js';
import { CredentialsRepository } from '../credentials.repository.js';
import type { RegisterDto, SignedInDto } from '../dto/auth.dto.js';
import { PasswordPolicyService } from '../password/password-policy.service.js';
import { type SignInOutcome, SignInService } from '../sign-in.service.js';
import { addressTried } from './registration.events.js';
import { RegistrationLimitService } from './registration-limit.service.js';

/**
 * Opening an account with email and password, which signs in at once: so whoever tries an address that has an account learns
 * it. Each such answer is counted against the network that it goes to, and the owner of the address hears of it by mail. An
 * address that is barred by a ban or an exclusion is answered, counted and worked on like one that is taken.
 */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly limit: RegistrationLimitService,
    private readonly policy: PasswordPolicyService,
    private readonly hasher: PasswordHasher,
    private readonly accounts: AccountsService,
    private readonly credentials: CredentialsRepository,
    private readonly signIn: SignInService,
    private readonly users: UsersService,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Throws SIGN_IN_LOCKED, EMAIL_TAKEN, HANDLE_TAKEN, HANDLE_RESERVED, TERMS_VERSION_OUTDATED, PASSWORD_BREACHED. */
  async register(body: RegisterDto, caller: Caller): Promise<SignedInDto> {
    // What needs no look at any account is refused before anything is counted or hashed.
    this.accounts.requireCurrentTerms(body.termsVersion);
    this.users.requireUnreserved(body.handle);
    await this.policy.require(body.password, body);
    const email = body.email.trim();
    const outcome = await this.limit.guard(caller, async () => {
      try {
        return await this.open(body, email, caller);
      } catch (error) {
        if (!(error instanceof DomainError) || error.code !== usersErrors.EMAIL_TAKEN.code) throw error;
        await this.tellOwner(email);
        return null;
      }
    });
    if (outcome === null) throw usersErrors.EMAIL_TAKEN({ field: 'email' });
    return await this.signIn.answer(outcome);
  }

  private async open(body: RegisterDto, email: string, caller: Caller): Promise<SignInOutcome> {
    // Before anything is looked up: what is found then costs too little time to tell.
    const passwordHash = await this.hasher.hash(body.password);
    return await this.unitOfWork.run(async (manager) => {
      const user = await this.accounts.open(manager, body, caller, { address: email, verified: false });
      await this.credentials.insert(manager, user.id, passwordHash, this.clock.now());
      return await this.signIn.complete(manager, { userId: user.id, proof: 'password', caller });
    });
  }

  /** At most once a day. */
  private async tellOwner(email: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const userId = await this.users.noteAddressTried(manager, email);
      await this.outbox.publish(manager, addressTried, { userId });
    });
  }
}
