import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Subject } from '../../platform/security/subject.js';
import { UsersService } from '../users/users.service.js';
import type { UserProfile } from '../users/users.types.js';
import { authErrors } from './auth.errors.js';
import type { NewAccountDto, TermsDto } from './dto/auth.dto.js';

/** Accounts, by whatever way in they are opened: who has one has accepted the terms. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly users: UsersService,
    private readonly unitOfWork: UnitOfWork,
    private readonly rules: Rules,
  ) {}

  /**
   * Opens an account in the caller's transaction; the way in adds its own proof to it.
   * Throws EMAIL_TAKEN, HANDLE_TAKEN, TERMS_VERSION_OUTDATED.
   */
  async open(
    manager: EntityManager,
    account: NewAccountDto,
    email: { address: string; verified: boolean } | null,
  ): Promise<UserProfile> {
    this.requireCurrentTerms(account.termsVersion);
    return await this.users.create(manager, {
      id: newId(),
      email: email?.address ?? null,
      emailVerified: email?.verified ?? false,
      handle: account.handle,
      displayName: account.displayName ?? account.handle,
      birthDate: account.birthDate,
      termsVersion: account.termsVersion,
      role: 'user',
    });
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
