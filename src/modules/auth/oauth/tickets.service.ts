import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { type Forgetful, HasHousekeeping } from '../../../platform/jobs/housekeeping.decorator.js';
import { OAuthFlowsRepository } from './oauth-flows.repository.js';
import { oauthErrors } from './oauth.errors.js';
import type { ProviderIdentity, ProviderName } from './oauth.types.js';
import { equalTexts, newSecret, seal, sha256, unseal } from './secrets.js';

/**
 * What a browser carries from the provider's answer to its app: a secret that opens, once and within a minute, what the
 * provider has proved. Nothing that is stored opens it.
 */
@HasHousekeeping()
@Injectable()
export class TicketsService implements Forgetful {
  readonly forgets = this.repository.forgets(() => this.clock.now());

  constructor(
    private readonly repository: OAuthFlowsRepository,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  async issue(identity: ProviderIdentity, challenge: string): Promise<string> {
    const ticket = newSecret();
    const now = this.clock.now();
    const expiresAt = new Date(now.getTime() + this.rules.auth.oauth.ticketSeconds * 1000);
    const { provider } = identity;
    const sealed = seal(identity, ticket);
    await this.repository.insertTicket({ hash: sha256(ticket), provider, challenge, sealed, now, expiresAt });
    return ticket;
  }

  /**
   * What the ticket stands for; it is not used up by that. The verifier of the challenge that it was begun
   * with comes with it: one that was caught on the way, or slipped in, signs nobody in. Throws TICKET_INVALID.
   */
  async open(provider: ProviderName, ticket: string, verifier: string): Promise<ProviderIdentity> {
    const row = await this.repository.findTicket(sha256(ticket), provider, this.clock.now());
    const challenge = sha256(verifier).toString('base64url');
    if (!row || !equalTexts(row.challenge, challenge)) throw oauthErrors.TICKET_INVALID();
    return unseal(row.sealed, ticket) as ProviderIdentity;
  }

  /** Throws TICKET_INVALID when it was used or has expired meanwhile. */
  async use(manager: EntityManager, ticket: string): Promise<void> {
    if (!(await this.repository.useTicket(manager, sha256(ticket), this.clock.now())))
      throw oauthErrors.TICKET_INVALID();
  }

  /** Leaves its holder the time to fill in what an account needs, or to sign in to the one they have. */
  async prolong(ticket: string): Promise<void> {
    const { registrationSeconds } = this.rules.auth.oauth;
    await this.repository.prolongTicket(sha256(ticket), registrationSeconds, this.clock.now());
  }
}
