import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Caller } from '../../platform/http/caller.decorator.js';
import { PasswordHasher } from '../../platform/security/password-hasher.js';
import { UsersService } from '../users/users.service.js';
import { AccountsService } from './accounts.service.js';
import { authErrors } from './auth.errors.js';
import { CredentialsRepository } from './credentials.repository.js';
import type { LoginDto, RegisterDto, SignedInDto } from './dto/auth.dto.js';
import { SignInService } from './sign-in.service.js';

/** The way in by email and password. */
@Injectable()
export class PasswordsService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly users: UsersService,
    private readonly signIn: SignInService,
    private readonly credentials: CredentialsRepository,
    private readonly hasher: PasswordHasher,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Throws EMAIL_TAKEN, HANDLE_TAKEN, TERMS_VERSION_OUTDATED. */
  async register(body: RegisterDto, caller: Caller): Promise<SignedInDto> {
    const passwordHash = await this.hasher.hash(body.password);
    return await this.unitOfWork.run(async (manager) => {
      const user = await this.accounts.open(manager, body, { address: body.email.trim(), verified: false });
      await this.credentials.insert(manager, user.id, passwordHash, this.clock.now());
      return await this.signIn.complete(manager, user, 'password', caller);
    });
  }

  /** Throws INVALID_CREDENTIALS, which does not tell whether the account exists, or BANNED once the password is right. */
  async login(body: LoginDto, caller: Caller): Promise<SignedInDto> {
    const user = await this.users.findByEmail(body.email.trim());
    const stored = user && (await this.credentials.findPasswordHash(user.id));
    const matches = await this.hasher.verify(stored, body.password);
    if (!user || !matches) throw authErrors.INVALID_CREDENTIALS();
    return await this.unitOfWork.run((manager) => this.signIn.complete(manager, user, 'password', caller));
  }
}
