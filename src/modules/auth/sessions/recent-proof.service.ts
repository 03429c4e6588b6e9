import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import type { Subject } from '../../../platform/security/subject.js';
import { UsersService } from '../../users/users.service.js';
import { authErrors } from '../auth.errors.js';
import { ProofsRepository } from './proofs.repository.js';
import { sessionErrors } from './session.errors.js';

const MINUTE_MS = 60_000;

/**
 * Whoever changes the ways into an account, or takes its data away, must have proved a moment ago that it is theirs: a
 * session that was stolen or left open does not do. Signing in is such a proof, and so is every reauthentication.
 */
@Injectable()
export class RecentProofService {
  constructor(
    private readonly repository: ProofsRepository,
    private readonly users: UsersService,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** Throws SESSION_ENDED, PROOF_TOO_OLD. */
  async require(subject: Subject): Promise<void> {
    this.check(await this.repository.find(subject));
  }

  /**
   * The same within a transaction, in which it comes first: until the commit nobody else changes the user's ways in or
   * standing, and the session, which has not ended, does not end.
   */
  async hold(manager: EntityManager, subject: Subject): Promise<void> {
    this.check(await this.lock(manager, subject));
  }

  /** Holds off the same changes without asking for a recent proof, where another one is asked for. Throws SESSION_ENDED. */
  async holdOff(manager: EntityManager, subject: Subject): Promise<void> {
    if ((await this.lock(manager, subject)) === null) throw authErrors.SESSION_ENDED();
  }

  private async lock(manager: EntityManager, subject: Subject): Promise<Date | null> {
    await this.users.lock(manager, subject.userId);
    return await this.repository.lock(manager, subject);
  }

  private check(provedAt: Date | null): void {
    if (provedAt === null) throw authErrors.SESSION_ENDED();
    const { proofMinutes } = this.rules.auth;
    if (provedAt.getTime() < this.clock.now().getTime() - proofMinutes * MINUTE_MS)
      throw sessionErrors.PROOF_TOO_OLD({ minutes: proofMinutes });
  }
}
