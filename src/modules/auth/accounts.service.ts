import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Caller } from '../../platform/http/caller.decorator.js';
import { BlindIndex } from '../../platform/security/blind-index.js';
import type { Subject } from '../../platform/security/subject.js';
import { BarredDevicesService } from '../compliance/barred-devices.service.js';
import { BarredIdentitiesService } from '../compliance/barred-identities.service.js';
import { PolicyService } from '../compliance/policy.service.js';
import { usersErrors } from '../users/users.errors.js';
import { UsersService } from '../users/users.service.js';
import type { UserProfile } from '../users/users.types.js';
import { authErrors } from './auth.errors.js';
import type { NewAccountDto, TermsDto } from './dto/auth.dto.js';
import { MailLinksService } from './mail/mail-links.service.js';

/** Accounts, by whatever way in they are opened: who has one has accepted the terms. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly users: UsersService,
    private readonly links: MailLinksService,
    private readonly barred: BarredIdentitiesService,
    private readonly devices: BarredDevicesService,
    private readonly policy: PolicyService,
    private readonly index: BlindIndex,
    private readonly unitOfWork: UnitOfWork,
    private readonly rules: Rules,
  ) {}

  /**
   * Opens an account in the caller's transaction; the way in adds its own proof to it. An email that no proof came with is
   * mailed a link. `knownBy` is what else would tell that the person was here before: a number, an account elsewhere; who is
   * excluded, or was erased while excluded or banned, stays it.
   * Throws GEO_BLOCKED where nothing is offered, BANNED, EMAIL_TAKEN, HANDLE_TAKEN, TERMS_VERSION_OUTDATED. An address that a ban or an exclusion bars is EMAIL_TAKEN to
   * who has not proved that it is theirs, and as much work: whose owner was banned or has left is nobody else's business.
   */
  async open(
    manager: EntityManager,
    account: NewAccountDto,
    caller: Pick<Caller, 'place' | 'fingerprint'>,
    email: { address: string; verified: boolean } | null,
    knownBy: readonly (readonly [kind: string, value: string])[] = [],
  ): Promise<UserProfile> {
    this.policy.require(null, { operation: 'account', product: 'social' }, caller.place);
    this.requireCurrentTerms(account.termsVersion);
    const unproved = email && !email.verified ? [this.emailIdentity(email.address)] : [];
    const barred = await this.barred.isBarred(manager, unproved);
    const user = await this.users.create(manager, {
      id: newId(),
      email: email?.address ?? null,
      emailVerified: email?.verified ?? false,
      handle: account.handle,
      displayName: account.displayName ?? account.handle,
      birthDate: account.birthDate,
      termsVersion: account.termsVersion,
      role: 'user',
    });
    if (barred) throw usersErrors.EMAIL_TAKEN({ field: 'email' });
    const identities = [
      ...(email ? [this.emailIdentity(email.address)] : []),
      ...knownBy.map(([kind, value]) => this.index.of(kind, value)),
    ];
    const ban = await this.barred.carryOver(manager, user.id, identities);
    if (ban) throw authErrors.BANNED({ until: ban.until?.toISOString() ?? null, reason: null });
    await this.devices.recognise(manager, user.id, caller.fingerprint);
    if (email && !email.verified) await this.links.request(manager, 'email_verification', user.id);
    return user;
  }

  async acceptTerms(subject: Subject, version: string): Promise<TermsDto> {
    this.requireCurrentTerms(version);
    await this.unitOfWork.run((manager) => this.users.acceptTerms(manager, subject.userId, version));
    return { version };
  }

  private emailIdentity(address: string): Buffer {
    return this.index.of('email', address.toLowerCase());
  }

  /** Throws TERMS_VERSION_OUTDATED. */
  requireCurrentTerms(version: string): void {
    const { termsVersion } = this.rules.auth;
    if (version !== termsVersion) throw authErrors.TERMS_VERSION_OUTDATED({ current: termsVersion });
  }
}
