import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { BlindIndex } from '../../../platform/security/blind-index.js';
import type { Subject } from '../../../platform/security/subject.js';
import { BarredIdentitiesService } from '../../compliance/barred-identities.service.js';
import { AccountChangesService } from '../account-changes.service.js';
import { authErrors } from '../auth.errors.js';
import type { AccountChange } from '../auth.events.js';
import type { IdentityDto, ProofDto } from './dto/oauth.dto.js';
import { RecentProofService } from '../sessions/recent-proof.service.js';
import { SessionsService } from '../sessions.service.js';
import { IdentitiesRepository } from './identities.repository.js';
import { isProviderName } from './oauth-providers.service.js';
import { oauthErrors } from './oauth.errors.js';
import type { ProviderName } from './oauth.types.js';
import { ProviderProofsService } from './provider-proofs.service.js';

/** The providers by which a user can enter the account they are signed in to. */
@Injectable()
export class IdentitiesService {
  constructor(
    private readonly proofs: ProviderProofsService,
    private readonly repository: IdentitiesRepository,
    private readonly sessions: SessionsService,
    private readonly barred: BarredIdentitiesService,
    private readonly index: BlindIndex,
    private readonly recent: RecentProofService,
    private readonly changes: AccountChangesService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  async list({ userId }: Subject): Promise<IdentityDto[]> {
    const identities = await this.repository.list(userId);
    return identities.map(({ linkedAt, lastUsedAt, ...rest }) => ({
      ...rest,
      linkedAt: linkedAt.toISOString(),
      lastUsedAt: lastUsedAt.toISOString(),
    }));
  }

  /**
   * Links whom the proof speaks of; the session, proved a moment ago, is the account's own proof. Linked already, nothing
   * changes. Throws PROOF_TOO_OLD, IDENTITY_TAKEN, PROVIDER_ALREADY_LINKED, and BANNED when its last owner was erased while banned.
   */
  async link(subject: Subject, providerName: string, body: ProofDto): Promise<IdentityDto[]> {
    const proof = await this.proofs.check(providerName, body);
    const { identity } = proof;
    await this.unitOfWork.run(async (manager) => {
      await this.recent.hold(manager, subject);
      const owner = await this.repository.lockUserId(manager, identity.provider, identity.subject);
      await proof.use(manager);
      if (owner === subject.userId) return;
      if (owner !== null) throw oauthErrors.IDENTITY_TAKEN();
      if (await this.repository.has(manager, subject.userId, identity.provider))
        throw oauthErrors.PROVIDER_ALREADY_LINKED();
      await this.repository.insert(manager, subject.userId, identity, this.clock.now());
      const ban = await this.barred.carryOver(manager, subject.userId, [
        this.index.of(identity.provider, identity.subject),
      ]);
      if (ban) throw authErrors.BANNED({ until: ban.until?.toISOString() ?? null, reason: null });
      await this.tell(manager, subject, 'providerLinked', identity.provider);
    });
    return await this.list(subject);
  }

  /** Proves the user of an idle session again. Throws PROVIDER_NOT_LINKED when the proof is of somebody else. */
  async reauthenticate(subject: Subject, providerName: string, body: ProofDto): Promise<void> {
    const proof = await this.proofs.check(providerName, body);
    const { identity } = proof;
    await this.unitOfWork.run(async (manager) => {
      if (!(await this.repository.touch(manager, subject.userId, identity, this.clock.now())))
        throw oauthErrors.PROVIDER_NOT_LINKED();
      await proof.use(manager);
    });
    await this.sessions.reauthenticated(subject);
  }

  /** Throws PROOF_TOO_OLD, PROVIDER_UNKNOWN, PROVIDER_NOT_LINKED, LAST_WAY_IN. */
  async unlink(subject: Subject, provider: string): Promise<void> {
    if (!isProviderName(provider)) throw oauthErrors.PROVIDER_UNKNOWN();
    await this.unitOfWork.run(async (manager) => {
      await this.recent.hold(manager, subject);
      if (!(await this.repository.delete(manager, subject.userId, provider)))
        throw oauthErrors.PROVIDER_NOT_LINKED();
      if (!(await this.repository.hasWayIn(manager, subject.userId))) throw oauthErrors.LAST_WAY_IN();
      await this.tell(manager, subject, 'providerUnlinked', provider);
    });
  }

  private async tell(
    manager: EntityManager,
    { userId }: Subject,
    change: AccountChange,
    provider: ProviderName,
  ): Promise<void> {
    await this.changes.tell(manager, userId, change, { details: { provider } });
  }
}
