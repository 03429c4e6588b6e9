import { createRemoteJWKSet, errors, type JWTVerifyGetKey, type RemoteJWKSet } from 'jose';
import { LRUCache } from 'lru-cache';
import * as openid from 'openid-client';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { oauthErrors } from './oauth.errors.js';
import type { ProviderName } from './oauth.types.js';

/** How long a provider's configuration is believed; an old one goes on serving while no new one can be fetched. */
const CONFIGURATION_MS = 3_600_000;
/** An ID token under a key that is not known makes the keys be fetched again, at most this often. */
const KEYS_COOL_DOWN_MS = 30_000;
const KEYS_MS = 600_000;
const RETRY_SECONDS = 5;
/** Seconds that our clock and a provider's may differ. */
export const TOLERANCE_SECONDS = 60;

/** The library marks it as deprecated so that it stands out; settings.insecure is false in production. */
const allowPlainHttp: (client: openid.Configuration) => void = Reflect.get(openid, 'allowInsecureRequests');

/** Trouble with a token that a provider's keys settle; every other trouble is the provider's own. */
const OF_THE_TOKEN = [
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
  errors.JOSENotSupported,
  errors.JOSEAlgNotAllowed,
];

export interface ProviderSettings {
  readonly name: ProviderName;
  readonly issuer: string;
  /** Every issuer that its ID tokens may name. */
  readonly issuers: readonly string[];
  /** Every client whose ID tokens are taken. */
  readonly audiences: readonly string[];
  /** The client that signs browsers in; null when there is none. */
  readonly browser: { clientId: string; secret: () => Promise<string>; redirectUri: string } | null;
  /** What is asked for beside the usual. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Plain http: of a provider on the same machine, never in production. */
  readonly insecure: boolean;
  readonly timeoutMs: number;
}

interface Checks {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/**
 * One OpenID provider. Its configuration is discovered when first asked for and its keys when a token first needs them, so
 * that this API starts without it. Every method throws SERVICE_UNAVAILABLE when the provider does not answer in time.
 */
export class OAuthProvider {
  private readonly metadata = new LRUCache<'current', openid.ServerMetadata>({
    max: 1,
    ttl: CONFIGURATION_MS,
    allowStaleOnFetchRejection: true,
    noDeleteOnFetchRejection: true,
    fetchMethod: () => this.discover(),
  });
  private keySet: { uri: string; keys: RemoteJWKSet } | undefined;

  constructor(readonly settings: ProviderSettings) {}

  /** Where the browser is sent. */
  async authorizationUrl({ state, nonce, verifier }: Checks): Promise<string> {
    const { redirectUri } = this.browser;
    const url = openid.buildAuthorizationUrl(this.client(await this.discovered()), {
      ...this.settings.parameters,
      redirect_uri: redirectUri,
      state,
      nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    return url.href;
  }

  /** The ID token that the provider gives for the code it sent. Throws OAUTH_DENIED, OAUTH_FAILED. */
  async exchange(answer: URLSearchParams, { state, nonce, verifier }: Checks): Promise<string> {
    const configuration = this.client(
      await this.discovered(),
      openid.ClientSecretPost(await this.browser.secret()),
    );
    const returned = new URL(`${this.browser.redirectUri}?${answer.toString()}`);
    const tokens = await openid
      .authorizationCodeGrant(configuration, returned, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      })
      .catch((error: unknown) => {
        throw this.refusalOf(error);
      });
    return tokens.id_token ?? '';
  }

  /** The key a token names, for jose. */
  readonly keyOf: JWTVerifyGetKey = async (header, token) => {
    const keys = await this.keys();
    return await keys(header, token).catch((error: unknown) => {
      throw OF_THE_TOKEN.some((kind) => error instanceof kind) ? error : this.unavailable(error);
    });
  };

  private get browser(): NonNullable<ProviderSettings['browser']> {
    if (this.settings.browser === null) throw oauthErrors.PROVIDER_UNKNOWN();
    return this.settings.browser;
  }

  private async keys(): Promise<RemoteJWKSet> {
    const uri = (await this.discovered()).jwks_uri;
    if (uri === undefined) throw this.unavailable(new Error('the provider publishes no keys'));
    if (this.keySet?.uri !== uri) {
      const { timeoutMs: timeoutDuration } = this.settings;
      const options = { timeoutDuration, cooldownDuration: KEYS_COOL_DOWN_MS, cacheMaxAge: KEYS_MS };
      this.keySet = { uri, keys: createRemoteJWKSet(new URL(uri), options) };
    }
    return this.keySet.keys;
  }

  private async discovered(): Promise<openid.ServerMetadata> {
    const found = await this.metadata.fetch('current').catch((error: unknown) => {
      throw this.unavailable(error);
    });
    if (found === undefined) throw this.unavailable(new Error('nothing was discovered'));
    return found;
  }

  private async discover(): Promise<openid.ServerMetadata> {
    const { issuer, insecure, timeoutMs } = this.settings;
    const options = { timeout: timeoutMs / 1000, ...(insecure ? { execute: [allowPlainHttp] } : {}) };
    // Of what is discovered only the provider's own words are kept, which no client has a part in.
    const found = await openid.discovery(new URL(issuer), 'any', {}, openid.None(), options);
    return found.serverMetadata();
  }

  private client(metadata: openid.ServerMetadata, authentication = openid.None()): openid.Configuration {
    const client = { [openid.clockTolerance]: TOLERANCE_SECONDS };
    const { clientId } = this.browser;
    const configuration = new openid.Configuration(metadata, clientId, client, authentication);
    configuration.timeout = this.settings.timeoutMs / 1000;
    if (this.settings.insecure) allowPlainHttp(configuration);
    return configuration;
  }

  /** What an error of the code's exchange means for the user: they said no, it proves nothing, or try later. */
  private refusalOf(error: unknown): Error {
    if (error instanceof openid.AuthorizationResponseError)
      return ['access_denied', 'user_cancelled_authorize'].includes(error.error)
        ? oauthErrors.OAUTH_DENIED({}, { cause: error })
        : oauthErrors.OAUTH_FAILED({}, { cause: error });
    if (error instanceof openid.ResponseBodyError)
      return error.status >= 500 ? this.unavailable(error) : oauthErrors.OAUTH_FAILED({}, { cause: error });
    const isAnswered = error instanceof openid.ClientError && PROVES_NOTHING.has(error.code ?? '');
    return isAnswered ? oauthErrors.OAUTH_FAILED({}, { cause: error }) : this.unavailable(error);
  }

  private unavailable(cause: unknown): Error {
    const details = { part: this.settings.name, retryAfter: RETRY_SECONDS };
    return httpErrors.SERVICE_UNAVAILABLE(details, { cause });
  }
}

/** Codes of openid-client for an answer that came and is not what was asked for. All else is that none came. */
const PROVES_NOTHING = new Set([
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_UNSUPPORTED_OPERATION',
]);
