import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Caller } from '../../../platform/http/caller.decorator.js';
import { DomainError } from '../../../platform/http/domain-error.js';
import { usersErrors } from '../../users/users.errors.js';
import { UsersService } from '../../users/users.service.js';
import { AccountsService } from '../accounts.service.js';
import { authErrors } from '../auth.errors.js';
import type { NewAccountDto, SignedInDto } from '../dto/auth.dto.js';
import { type SignInOutcome, SignInService } from '../sign-in.service.js';
import type { OAuthSignInDto } from './dto/oauth.dto.js';
import { IdentitiesRepository } from './identities.repository.js';
import { oauthErrors } from './oauth.errors.js';
import type { ProviderIdentity } from './oauth.types.js';
import { displayNameOf } from './provider-claims.js';
import { type ProviderProof, ProviderProofsService } from './provider-proofs.service.js';

/** Signing in, and opening accounts, by what a provider has proved. */
@Injectable()
export class OAuthService {
  constructor(
    private readonly proofs: ProviderProofsService,
    private readonly identities: IdentitiesRepository,
    private readonly users: UsersService,
    private readonly accounts: AccountsService,
    private readonly signIn: SignInService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Signs in whoever the identity belongs to, or opens an account for it. Refused, the proof stays good: for the same
   * again with `account` after REGISTRATION_REQUIRED, for linking after ACCOUNT_LINK_REQUIRED. An email that an account
   * has is never enough to enter it, whatever the provider says of it.
   */
  async enter(providerName: string, body: OAuthSignInDto, caller: Caller): Promise<SignedInDto> {
    const proof = await this.proofs.check(providerName, body);
    const name = displayNameOf(body.name) ?? proof.identity.name;
    for (;;) {
      const known = await this.identities.findUserId(proof.identity.provider, proof.identity.subject);
      const outcome =
        known === null
          ? await this.register(proof, { ...proof.identity, name }, body.account, caller)
          : await this.enterAs(known, proof, caller);
      if (outcome !== 'changed') return await this.signIn.answer(outcome);
    }
  }

  /** `changed` when the identity was unlinked a moment ago. */
  private async enterAs(
    userId: string,
    proof: ProviderProof,
    caller: Caller,
  ): Promise<SignInOutcome | 'changed'> {
    const signIn = { userId, proof: proof.identity.provider, caller };
    return await this.unitOfWork.run((manager) =>
      this.signIn.complete(manager, signIn, async () => {
        if (!(await this.identities.touch(manager, userId, proof.identity, this.clock.now())))
          return 'changed';
        await proof.use(manager);
        return null;
      }),
    );
  }

  /** `changed` when somebody, as a rule the same person twice at once, has just opened or linked an account for it. */
  private async register(
    proof: ProviderProof,
    identity: ProviderIdentity,
    account: NewAccountDto | undefined,
    caller: Caller,
  ): Promise<SignInOutcome | 'changed'> {
    await this.refuseKnownEmail(proof);
    if (account === undefined) {
      await proof.keep();
      const suggested = { email: identity.email, displayName: identity.name };
      throw authErrors.REGISTRATION_REQUIRED({ field: 'account', suggested });
    }
    try {
      return await this.unitOfWork.run(async (manager) => {
        const { provider, subject } = identity;
        if ((await this.identities.lockUserId(manager, provider, subject)) !== null) return 'changed';
        await proof.use(manager);
        return await this.open(manager, identity, account, caller);
      });
    } catch (error) {
      if (error instanceof DomainError && error.code === usersErrors.EMAIL_TAKEN.code)
        throw await this.linkRequired(proof);
      throw error;
    }
  }

  private async open(
    manager: EntityManager,
    identity: ProviderIdentity,
    account: NewAccountDto,
    caller: Caller,
  ): Promise<SignInOutcome> {
    const { email, emailVerified, name, provider, subject } = identity;
    const { handle, birthDate, termsVersion } = account;
    const displayName = account.displayName ?? name ?? handle;
    const address = email === null ? null : { address: email, verified: emailVerified };
    const newAccount = { handle, displayName, birthDate, termsVersion };
    const user = await this.accounts.open(manager, newAccount, caller, address, [[provider, subject]]);
    await this.identities.insert(manager, user.id, identity, this.clock.now());
    return await this.signIn.complete(manager, { userId: user.id, proof: provider, caller });
  }

  private async refuseKnownEmail(proof: ProviderProof): Promise<void> {
    const { email } = proof.identity;
    if (email !== null && (await this.users.findByEmail(email)) !== null)
      throw await this.linkRequired(proof);
  }

  private async linkRequired(proof: ProviderProof): Promise<DomainError> {
    await proof.keep();
    return oauthErrors.ACCOUNT_LINK_REQUIRED({ email: proof.identity.email });
  }
}
