import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { AppConfig } from '../../../platform/config/app-config.js';
import { Rules } from '../../../platform/config/rules.js';
import { DomainError } from '../../../platform/http/domain-error.js';
import { toDomainError } from '../../../platform/http/domain-error.filter.js';
import type { BeginQuery } from './dto/oauth.dto.js';
import { browserCookie, type Departure, secretIn } from './browser-cookie.js';
import { IdTokensService } from './id-tokens.service.js';
import type { OAuthProvider } from './oauth-provider.js';
import { OAuthFlowsRepository } from './oauth-flows.repository.js';
import { OAuthProvidersService } from './oauth-providers.service.js';
import { oauthErrors } from './oauth.errors.js';
import { appleNameOf } from './provider-claims.js';
import { allowedRedirect } from './redirect-url.js';
import { derived, newSecret, sha256 } from './secrets.js';
import { TicketsService } from './tickets.service.js';

/**
 * Signing in by a browser: to the provider and back, and on to the app with a ticket. The browser keeps a secret in a
 * cookie; of it and the state come the nonce and the verifier of PKCE, so that an answer is worth something only in the
 * browser that asked, and Postgres holds nothing that could take its place.
 */
@Injectable()
export class BrowserFlowService {
  private readonly logger = new Logger('OAuth');

  constructor(
    private readonly providers: OAuthProvidersService,
    private readonly idTokens: IdTokensService,
    private readonly tickets: TicketsService,
    private readonly repository: OAuthFlowsRepository,
    private readonly clock: Clock,
    private readonly config: AppConfig,
    private readonly rules: Rules,
  ) {}

  /** Throws PROVIDER_UNKNOWN, REDIRECT_NOT_ALLOWED, SERVICE_UNAVAILABLE; nothing is kept then. */
  async begin(
    name: string,
    { redirectTo, challenge }: BeginQuery,
    cookies: string | undefined,
  ): Promise<Departure> {
    const provider = this.providers.forBrowsers(name);
    const target = allowedRedirect(redirectTo, this.config.OAUTH_REDIRECT_URLS);
    if (target === null) throw oauthErrors.REDIRECT_NOT_ALLOWED({ field: 'redirectTo' });
    const cookie = browserCookie(provider.settings.name, this.config.PUBLIC_URL);
    // A second tab shares the secret of the first; each has a state of its own.
    const secret = secretIn(cookies, cookie.name) ?? newSecret();
    const state = newSecret();
    const location = await provider.authorizationUrl(checksOf(secret, state));
    const { requestSeconds } = this.rules.auth.oauth;
    await this.repository.insertRequest({
      stateHash: sha256(state),
      browserHash: sha256(secret),
      provider: provider.settings.name,
      redirectTo: target,
      challenge,
      expiresAt: new Date(this.clock.now().getTime() + requestSeconds * 1000),
    });
    return { location, cookie: cookie.of(secret, requestSeconds) };
  }

  /**
   * Takes the provider's answer. Without the state and the cookie of one and the same begin it is refused
   * (OAUTH_STATE_INVALID); afterwards the browser goes to its app whatever happens, with `ticket` or `error` in the fragment.
   */
  async finish(name: string, answer: URLSearchParams, cookies: string | undefined): Promise<Departure> {
    const provider = this.providers.forBrowsers(name);
    const secret = secretIn(cookies, browserCookie(provider.settings.name, this.config.PUBLIC_URL).name);
    const state = answer.get('state');
    if (secret === null || state === null) throw oauthErrors.OAUTH_STATE_INVALID();
    const request = await this.repository.takeRequest(
      sha256(state),
      sha256(secret),
      provider.settings.name,
      this.clock.now(),
    );
    if (!request) throw oauthErrors.OAUTH_STATE_INVALID();
    const outcome = await this.ticketFor(provider, answer, checksOf(secret, state), request.challenge);
    const fragment = new URLSearchParams({ ...outcome, provider: provider.settings.name });
    return { location: `${request.redirectTo}#${fragment.toString()}` };
  }

  private async ticketFor(
    provider: OAuthProvider,
    answer: URLSearchParams,
    checks: ReturnType<typeof checksOf>,
    challenge: string,
  ): Promise<{ ticket: string } | { error: string }> {
    try {
      const token = await provider.exchange(answer, checks);
      const { identity } = await this.idTokens.verify(provider, token, checks.nonce);
      const name = identity.name ?? appleNameOf(answer.get('user'));
      return { ticket: await this.tickets.issue({ ...identity, name }, challenge) };
    } catch (error) {
      const { code, details } = this.told(error);
      this.logger.warn(
        { provider: provider.settings.name, code, details, reason: reasonOf(error) },
        'no ticket',
      );
      return { error: code };
    }
  }

  /** An app is told that signing in has failed, not what was wrong with a token that it never saw. */
  private told(error: unknown): DomainError {
    const domainError = toDomainError(error);
    return domainError.code === 'ID_TOKEN_INVALID'
      ? oauthErrors.OAUTH_FAILED(domainError.details)
      : domainError;
  }
}

function checksOf(secret: string, state: string): { state: string; nonce: string; verifier: string } {
  return { state, nonce: derived(secret, `nonce ${state}`), verifier: derived(secret, `pkce ${state}`) };
}

/** What openid-client says it was: codes, never what was sent. */
function reasonOf(error: unknown): string | undefined {
  const { cause } = error as { cause?: { code?: unknown; error?: unknown } };
  const reason = cause?.error ?? cause?.code;
  return typeof reason === 'string' ? reason : undefined;
}
