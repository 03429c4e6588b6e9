import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { PasswordHasher } from '../../platform/security/password-hasher.js';
import type { Subject } from '../../platform/security/subject.js';
import { UsersService } from '../users/users.service.js';
import type { UserProfile } from '../users/users.types.js';
import { authErrors } from './auth.errors.js';
import type { AccountDto, LoginDto, RegisterDto, SignedInDto, TermsDto } from './dto/auth.dto.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';

/** Ways in by email and password. */
@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly repository: SessionsRepository,
    private readonly hasher: PasswordHasher,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** Throws EMAIL_TAKEN, HANDLE_TAKEN, TERMS_VERSION_OUTDATED. */
  async register(body: RegisterDto, userAgent: string | null): Promise<SignedInDto> {
    this.requireCurrentTerms(body.termsVersion);
    const passwordHash = await this.hasher.hash(body.password);
    return await this.unitOfWork.run(async (manager) => {
      const user = await this.users.create(manager, {
        id: newId(),
        email: body.email.trim(),
        handle: body.handle,
        displayName: body.displayName ?? body.handle,
        birthDate: body.birthDate,
        termsVersion: body.termsVersion,
        role: 'user',
      });
      await this.repository.insertCredential(manager, user.id, passwordHash, this.clock.now());
      return { ...(await this.sessions.open(manager, user, userAgent)), user: toAccount(user) };
    });
  }

  /** Throws INVALID_CREDENTIALS, which does not tell whether the account exists, or BANNED once the password is right. */
  async login(body: LoginDto, userAgent: string | null): Promise<SignedInDto> {
    const user = await this.users.findByEmail(body.email.trim());
    const stored = user && (await this.repository.findPasswordHash(user.id));
    const matches = await this.hasher.verify(stored, body.password);
    if (!user || !matches) throw authErrors.INVALID_CREDENTIALS();
    if (user.status === 'banned') throw authErrors.BANNED();
    const tokens = await this.unitOfWork.run((manager) => this.sessions.open(manager, user, userAgent));
    return { ...tokens, user: toAccount(user) };
  }

  async acceptTerms(subject: Subject, version: string): Promise<TermsDto> {
    this.requireCurrentTerms(version);
    await this.unitOfWork.run((manager) => this.users.acceptTerms(manager, subject.userId, version));
    return { version };
  }

  private requireCurrentTerms(version: string): void {
    const { termsVersion } = this.rules.auth;
    if (version !== termsVersion) throw authErrors.TERMS_VERSION_OUTDATED({ current: termsVersion });
  }
}

function toAccount({ id, email, handle, displayName, role }: UserProfile): AccountDto {
  return { id, email, handle, displayName, role };
}
