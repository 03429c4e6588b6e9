import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { httpErrors } from '../../../platform/http/http.errors.js';
import type { ProofDto } from './dto/oauth.dto.js';
import { IdTokensService } from './id-tokens.service.js';
import { OAuthFlowsRepository } from './oauth-flows.repository.js';
import type { OAuthProvider } from './oauth-provider.js';
import { OAuthProvidersService } from './oauth-providers.service.js';
import { oauthErrors } from './oauth.errors.js';
import type { ProviderIdentity } from './oauth.types.js';
import { TicketsService } from './tickets.service.js';

/** A proof that has been checked and not used yet. */
export interface ProviderProof {
  readonly identity: ProviderIdentity;
  /** Uses it up, in the transaction of what it is for. Throws ID_TOKEN_USED or TICKET_INVALID: it works once. */
  use(manager: EntityManager): Promise<void>;
  /** Leaves its holder time to come again with it. */
  keep(): Promise<void>;
}

/** The two proofs that clients bring: an ID token from the device, or a ticket from the browser. */
@Injectable()
export class ProviderProofsService {
  constructor(
    private readonly providers: OAuthProvidersService,
    private readonly idTokens: IdTokensService,
    private readonly tickets: TicketsService,
    private readonly repository: OAuthFlowsRepository,
  ) {}

  /** Throws PROVIDER_UNKNOWN, ID_TOKEN_INVALID, TICKET_INVALID, SERVICE_UNAVAILABLE, or VALIDATION_FAILED without one of the two. */
  async check(providerName: string, body: ProofDto): Promise<ProviderProof> {
    const { idToken, nonce, ticket, verifier } = body;
    if (idToken !== undefined && nonce !== undefined && ticket === undefined && verifier === undefined)
      return await this.ofIdToken(this.providers.get(providerName), idToken, nonce);
    if (ticket !== undefined && verifier !== undefined && idToken === undefined && nonce === undefined)
      return await this.ofTicket(this.providers.get(providerName), ticket, verifier);
    throw httpErrors.VALIDATION_FAILED({
      fields: [{ field: 'idToken', problems: ['send either idToken and nonce, or ticket and verifier'] }],
    });
  }

  private async ofIdToken(provider: OAuthProvider, token: string, nonce: string): Promise<ProviderProof> {
    const { identity, hash, expiresAt } = await this.idTokens.verify(provider, token, nonce);
    return {
      identity,
      use: async (manager) => {
        if (!(await this.repository.useIdToken(manager, hash, expiresAt))) throw oauthErrors.ID_TOKEN_USED();
      },
      keep: async () => undefined,
    };
  }

  private async ofTicket(provider: OAuthProvider, ticket: string, verifier: string): Promise<ProviderProof> {
    return {
      identity: await this.tickets.open(provider.settings.name, ticket, verifier),
      use: async (manager) => await this.tickets.use(manager, ticket),
      keep: async () => await this.tickets.prolong(ticket),
    };
  }
}
