import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { importSPKI } from 'jose';
import { Browser, type Page } from './browser.js';
import { type Answer, Client } from './client.js';
import { OpenIdServer, type Person } from './openid-server.js';
import { startSystem, type System } from './system.js';

export const API = 'https://api.parley.test';
export const APP = 'https://app.example.com/signed-in';
export const GOOGLE = { web: 'google-web', native: 'google-ios' };
export const APPLE = { web: 'com.example.parley.web', native: 'com.example.parley' };

/** What the app keeps to itself, and what it begins with. */
export const VERIFIER = 'v'.repeat(43);
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

export type ProviderName = 'google' | 'apple';

/** A whole system with a Google and an Apple of its own, both real OpenID providers. */
export class OAuthSystem {
  private static count = 0;

  private constructor(
    readonly system: System,
    readonly google: OpenIdServer,
    readonly apple: OpenIdServer,
  ) {}

  static async start(env: Record<string, string> = {}): Promise<OAuthSystem> {
    const callback = (name: ProviderName) => `${API}/api/v1/auth/oauth/${name}/callback`;
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const publicKey = await importSPKI(
      String(key.publicKey.export({ type: 'spki', format: 'pem' })),
      'ES256',
    );
    const google = await OpenIdServer.start([
      { id: GOOGLE.web, secret: 'the-secret-of-google', redirectUri: callback('google') },
      { id: GOOGLE.native, redirectUri: 'https://ios.example.com/callback' },
    ]);
    const apple = await OpenIdServer.start([
      {
        id: APPLE.web,
        secret: { teamId: 'TEAM123456', keyId: 'KEY1234567', publicKey },
        redirectUri: callback('apple'),
      },
    ]);
    const system = await startSystem({
      worker: false,
      env: {
        PUBLIC_URL: API,
        OAUTH_REDIRECT_URLS: `${APP},https://admin.example.com`,
        GOOGLE_CLIENT_ID: GOOGLE.web,
        GOOGLE_CLIENT_SECRET: 'the-secret-of-google',
        GOOGLE_ISSUER: google.issuer,
        GOOGLE_NATIVE_CLIENT_IDS: GOOGLE.native,
        APPLE_CLIENT_ID: APPLE.web,
        APPLE_TEAM_ID: 'TEAM123456',
        APPLE_KEY_ID: 'KEY1234567',
        APPLE_PRIVATE_KEY: String(key.privateKey.export({ type: 'pkcs8', format: 'pem' })),
        APPLE_ISSUER: apple.issuer,
        APPLE_NATIVE_CLIENT_IDS: APPLE.native,
        ...env,
      },
    });
    return new OAuthSystem(system, google, apple);
  }

  async stop(): Promise<void> {
    await this.system.stop();
    await Promise.all([this.google.stop(), this.apple.stop()]);
  }

  server(provider: ProviderName): OpenIdServer {
    return provider === 'google' ? this.google : this.apple;
  }

  get anyone(): Client {
    return new Client(this.system.url);
  }

  browser(): Browser {
    return new Browser({ [API]: this.system.url });
  }

  /** Somebody new at the provider. */
  person(over: Partial<Person> = {}): Person {
    const sub = randomUUID();
    return { sub, email: `${sub}@example.org`, email_verified: true, ...over };
  }

  /** What an account needs, with a handle that nobody has. */
  account(over: Record<string, unknown> = {}): Record<string, unknown> {
    OAuthSystem.count += 1;
    const handle = `oauth_${OAuthSystem.count}`;
    return { handle, birthDate: '1990-12-10', termsVersion: '2026-11', ...over };
  }

  beginUrl(provider: ProviderName, query: Record<string, string> = {}): string {
    return `${API}/api/v1/auth/oauth/${provider}?${new URLSearchParams({ redirectTo: APP, challenge: CHALLENGE, ...query }).toString()}`;
  }

  /** The whole way through the provider, to the app. */
  async through(provider: ProviderName, person: Person | null, browser = this.browser()): Promise<Page> {
    this.server(provider).person = person;
    return await browser.open(this.beginUrl(provider));
  }

  async ticket(provider: ProviderName, person: Person): Promise<string> {
    return (await this.through(provider, person)).fragment.get('ticket')!;
  }

  /** A native proof: an ID token for the app, with its nonce as the provider's own library puts it in. */
  async native(
    provider: ProviderName,
    person: Person,
    over: Record<string, unknown> = {},
  ): Promise<{ idToken: string; nonce: string }> {
    const nonce = randomUUID();
    const claimed = provider === 'apple' ? createHash('sha256').update(nonce).digest('hex') : nonce;
    const aud = provider === 'apple' ? APPLE.native : GOOGLE.native;
    const options = { now: this.system.now() };
    const idToken = await this.server(provider).idToken({ ...person, aud, nonce: claimed, ...over }, options);
    return { idToken, nonce };
  }

  async enter(provider: ProviderName, body: object): Promise<Answer> {
    return await this.anyone.post(`auth/oauth/${provider}/token`, body);
  }

  /** A user who came by this provider, signed in. */
  async user(provider: ProviderName, person: Person): Promise<Client> {
    const { status, data, error } = await this.enter(provider, {
      ...(await this.native(provider, person)),
      account: this.account(),
    });
    if (status !== 200) throw new Error(`not signed in: ${error.code}`);
    return new Client(this.system.url, data.accessToken, data.user.id);
  }

  async count(table: string): Promise<number> {
    const { rows } = await this.system.db.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
    return rows[0]!.n;
  }
}

export const outcome = ({ status, error }: Answer) => [status, error?.code];
