import { Injectable } from '@nestjs/common';
import { Rules } from '../../../platform/config/rules.js';
import type { Role, Subject } from '../../../platform/security/subject.js';
import { totpErrors } from './totp.errors.js';
import { TotpRepository } from './totp.repository.js';

/**
 * What the rules ask of some roles: nothing that needs a permission may be done in a session without a second factor. Asked
 * of Postgres each time, for admins are few, and whoever turns the factor off loses it at once.
 */
@Injectable()
export class SecondFactorPolicy {
  private readonly roles: ReadonlySet<Role>;

  constructor(
    private readonly repository: TotpRepository,
    rules: Rules,
  ) {
    this.roles = new Set(rules.auth.secondFactor.requiredRoles);
  }

  /** Throws SECOND_FACTOR_SETUP_REQUIRED for who has none, SECOND_FACTOR_SESSION_REQUIRED for who signed in without it. */
  allows({ role, sessionId }: Subject): true | Promise<true> {
    return this.roles.has(role) ? this.ask(sessionId) : true;
  }

  private async ask(sessionId: string): Promise<true> {
    const standing = await this.repository.standing(sessionId);
    if (!standing?.on) throw totpErrors.SECOND_FACTOR_SETUP_REQUIRED();
    if (!standing.proved) throw totpErrors.SECOND_FACTOR_SESSION_REQUIRED();
    return true;
  }
}
