import { createPrivateKey } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SignJWT } from 'jose';
import { Clock } from '../../../platform/clock/clock.js';
import { AppConfig } from '../../../platform/config/app-config.js';
import { Rules } from '../../../platform/config/rules.js';
import { OAuthProvider, type ProviderSettings } from './oauth-provider.js';
import { oauthErrors } from './oauth.errors.js';
import { PROVIDERS, type ProviderName } from './oauth.types.js';

/** Apple takes secrets that live up to six months; one made for each use need not. */
const APPLE_SECRET_SECONDS = 300;

/** The providers that the operator has configured. */
@Injectable()
export class OAuthProvidersService {
  private readonly providers: ReadonlyMap<string, OAuthProvider>;

  constructor(
    private readonly config: AppConfig,
    private readonly rules: Rules,
    private readonly clock: Clock,
  ) {
    const all = [this.google(), this.apple()].filter(({ audiences }) => audiences.length > 0);
    this.providers = new Map(all.map((settings) => [settings.name, new OAuthProvider(settings)]));
  }

  /** Throws PROVIDER_UNKNOWN. */
  get(name: string): OAuthProvider {
    const provider = this.providers.get(name);
    if (!provider) throw oauthErrors.PROVIDER_UNKNOWN();
    return provider;
  }

  /** A provider that browsers can be sent to; its own apps may have one that browsers cannot. Throws PROVIDER_UNKNOWN. */
  forBrowsers(name: string): OAuthProvider {
    const provider = this.get(name);
    if (provider.settings.browser === null) throw oauthErrors.PROVIDER_UNKNOWN();
    return provider;
  }

  private google(): ProviderSettings {
    const { GOOGLE_CLIENT_ID: id, GOOGLE_CLIENT_SECRET: secret, GOOGLE_ISSUER: issuer } = this.config;
    return {
      ...this.common('google', issuer),
      // Google's older tokens name it without the scheme, and its documents tell to take both.
      issuers: [issuer, ...(issuer === 'https://accounts.google.com' ? ['accounts.google.com'] : [])],
      audiences: [...(id === undefined ? [] : [id]), ...this.config.GOOGLE_NATIVE_CLIENT_IDS],
      browser: this.browser('google', id, async () => secret ?? ''),
      parameters: { scope: 'openid email profile' },
    };
  }

  private apple(): ProviderSettings {
    const { APPLE_CLIENT_ID: id, APPLE_ISSUER: issuer } = this.config;
    return {
      ...this.common('apple', issuer),
      issuers: [issuer],
      audiences: [...(id === undefined ? [] : [id]), ...this.config.APPLE_NATIVE_CLIENT_IDS],
      browser: this.browser('apple', id, this.appleSecret(issuer)),
      // Apple tells name and email only where its answer is posted.
      parameters: { scope: 'openid name email', response_mode: 'form_post' },
    };
  }

  private common(
    name: ProviderName,
    issuer: string,
  ): Pick<ProviderSettings, 'name' | 'issuer' | 'insecure' | 'timeoutMs'> {
    const insecure = issuer.startsWith('http:') && this.config.NODE_ENV !== 'production';
    return { name, issuer, insecure, timeoutMs: this.rules.auth.oauth.timeoutMs };
  }

  private browser(
    name: ProviderName,
    clientId: string | undefined,
    secret: () => Promise<string>,
  ): ProviderSettings['browser'] {
    if (clientId === undefined) return null;
    const redirectUri = `${this.config.PUBLIC_URL}/api/v1/auth/oauth/${name}/callback`;
    return { clientId, secret, redirectUri };
  }

  /** Apple's client secret is a JWT that we sign with the key it gave us. */
  private appleSecret(audience: string): () => Promise<string> {
    const { APPLE_TEAM_ID = '', APPLE_KEY_ID = '', APPLE_PRIVATE_KEY, APPLE_CLIENT_ID = '' } = this.config;
    if (APPLE_PRIVATE_KEY === undefined) return async () => '';
    const key = createPrivateKey(APPLE_PRIVATE_KEY);
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
      throw new Error('APPLE_PRIVATE_KEY must be a P-256 key');
    return async () => {
      const now = Math.floor(this.clock.now().getTime() / 1000);
      return await new SignJWT()
        .setProtectedHeader({ alg: 'ES256', kid: APPLE_KEY_ID })
        .setIssuer(APPLE_TEAM_ID)
        .setSubject(APPLE_CLIENT_ID)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(now + APPLE_SECRET_SECONDS)
        .sign(key);
    };
  }
}

export function isProviderName(name: string): name is ProviderName {
  return PROVIDERS.includes(name as ProviderName);
}
