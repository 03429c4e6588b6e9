import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { PasswordHasher } from '../../platform/security/password-hasher.js';
import { StandingService } from '../users/standing/standing.service.js';
import { UsersService } from '../users/users.service.js';
import type { UserProfile } from '../users/users.types.js';
import { CredentialsRepository } from './credentials.repository.js';
import { SessionsService } from './sessions.service.js';

/** The first admin, made from the command line of the operator's own machine; there is no route to it. */
@Injectable()
export class AdminsService {
  constructor(
    private readonly users: UsersService,
    private readonly standing: StandingService,
    private readonly sessions: SessionsService,
    private readonly credentials: CredentialsRepository,
    private readonly hasher: PasswordHasher,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Opens the account as an admin's, or makes an admin of the one that has this email; its password stays. Throws when nothing
   * tells that it is that person's, or it may not be used: anybody may open an account with an address that is not theirs.
   */
  async ensure(account: {
    email: string;
    handle: string;
    birthDate: string;
    password: string;
  }): Promise<'created' | 'existed'> {
    const { email, handle, birthDate, password } = account;
    const hash = await this.hasher.hash(password);
    return await this.unitOfWork.run(async (manager) => {
      const existing = await this.users.lockByEmail(manager, email);
      const id = existing?.id ?? newId();
      if (existing) {
        if (existing.role !== 'admin') requirePromotable(existing);
        await this.standing.setRole(manager, id, 'admin');
        if (existing.role !== 'admin') await this.sessions.endAll(manager, id, 'role_changed');
      } else {
        const { termsVersion } = this.rules.auth;
        await this.users.create(manager, {
          id,
          email,
          emailVerified: true, // the operator vouches for it
          handle,
          displayName: handle,
          birthDate,
          termsVersion,
          role: 'admin',
        });
        await this.credentials.insert(manager, id, hash, this.clock.now());
      }
      await this.audit.record(manager, {
        actorId: null,
        action: 'user.made-admin',
        subjectType: 'user',
        subjectId: id,
        details: {},
      });
      return existing ? 'existed' : 'created';
    });
  }
}

function requirePromotable({ emailVerified, status, closingAt }: UserProfile): void {
  const because = [
    emailVerified ? [] : ['its email is not verified, so it may be a stranger who opened it'],
    status === 'active' ? [] : [`it is ${status}`],
    closingAt === null ? [] : ['it is being closed'],
  ].flat();
  if (because.length > 0)
    throw new Error(`The account of this email is not made an admin's: ${because.join('; ')}.`);
}
