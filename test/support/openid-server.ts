import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { type ClientMetadata, Provider } from 'oidc-provider';
import { OpenIdStore } from './openid-store.js';

/** Somebody who has an account at the provider, with the claims that its ID tokens make about them. */
export interface Person {
  sub: string;
  email?: string;
  email_verified?: boolean | string;
  is_private_email?: boolean | string;
  name?: string;
}

export interface OpenIdClient {
  id: string;
  redirectUri: string;
  /** A text; or Apple's way: a JWT of this team, signed with this key. Without one the client is a public one. */
  secret?: string | { teamId: string; keyId: string; publicKey: CryptoKey };
}

/** A certified OpenID provider on loopback. Whoever is `person` signs in without being asked, or says no. */
export class OpenIdServer {
  readonly issuer: string;
  person: Person | null = null;
  /** Requests that came to the token endpoint. */
  exchanges = 0;
  private readonly people = new Map<string, Person>();
  private readonly key = generateKeyPairSync('rsa', { modulusLength: 2048 });
  private readonly provider: Provider;

  private constructor(
    private readonly http: Server,
    clients: OpenIdClient[],
  ) {
    this.issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const jwk = { ...this.key.privateKey.export({ format: 'jwk' }), kid: 'first', use: 'sig', alg: 'RS256' };
    this.provider = new Provider(this.issuer, {
      adapter: OpenIdStore,
      clients: clients.map(metadataOf),
      jwks: { keys: [jwk] },
      cookies: { keys: [randomUUID()] },
      claims: {
        openid: ['sub'],
        email: ['email', 'email_verified', 'is_private_email'],
        profile: ['name'],
        name: ['nickname'],
      },
      conformIdTokenClaims: false,
      ttl: {
        AccessToken: 600,
        AuthorizationCode: 60,
        Grant: 600,
        IdToken: 3600,
        Interaction: 600,
        Session: 600,
      },
      renderError: (ctx, { error }) => {
        ctx.body = error;
      },
      clientBasedCORS: () => false,
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
      findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...this.people.get(sub) }) }),
      loadExistingGrant: async (ctx) => {
        const { client, session, params } = ctx.oidc;
        const known = session!.grantIdFor(client!.clientId);
        const existing = known === undefined ? undefined : await this.provider.Grant.find(known);
        if (existing) return existing;
        const grant = new this.provider.Grant({ clientId: client!.clientId, accountId: session!.accountId! });
        grant.addOIDCScope(String(params?.['scope']));
        await grant.save();
        return grant;
      },
    });
    const secrets = new Map(clients.map(({ id, secret }) => [id, secret]));
    // As its recipes say: how secrets are compared may be replaced. Apple's are JWTs.
    const prototype = this.provider.Client.prototype as unknown as {
      compareClientSecret(this: { clientId: string; clientSecret: string }, given: string): Promise<boolean>;
    };
    const issuer = this.issuer;
    prototype.compareClientSecret = async function compare(given) {
      const secret = secrets.get(this.clientId);
      return typeof secret === 'object'
        ? await isAppleSecret(given, secret, this.clientId, issuer)
        : given === this.clientSecret;
    };
    const callback = this.provider.callback();
    http.on('request', (request, response) => {
      if (request.url === '/token') this.exchanges += 1;
      if (request.url?.startsWith('/interaction/') === true)
        this.interact(request, response).catch(response.destroy.bind(response));
      else callback(request, response).catch(response.destroy.bind(response));
    });
  }

  static async start(clients: OpenIdClient[]): Promise<OpenIdServer> {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return new OpenIdServer(http, clients);
  }

  /** An ID token as this provider signs them; what is given replaces what it would say. */
  async idToken(
    claims: JWTPayload,
    over: { kid?: string; now?: Date; lives?: number } = {},
  ): Promise<string> {
    const issuedAt = Math.floor((over.now ?? new Date()).getTime() / 1000);
    return await new SignJWT({
      iss: this.issuer,
      iat: issuedAt,
      exp: issuedAt + (over.lives ?? 3600),
      jti: randomUUID(),
      ...claims,
    })
      .setProtectedHeader({ alg: 'RS256', kid: over.kid ?? 'first' })
      .sign(this.key.privateKey);
  }

  async stop(): Promise<void> {
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  private async interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.person === null) {
      const refusal = { error: 'access_denied', error_description: 'The person said no' };
      return await this.provider.interactionFinished(request, response, refusal);
    }
    this.people.set(this.person.sub, this.person);
    const login = { accountId: this.person.sub };
    await this.provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  }
}

function metadataOf({ id, redirectUri, secret }: OpenIdClient): ClientMetadata {
  const authentication =
    secret === undefined
      ? { token_endpoint_auth_method: 'none' as const }
      : {
          token_endpoint_auth_method: 'client_secret_post' as const,
          client_secret: typeof secret === 'string' ? secret : randomUUID(),
        };
  return {
    client_id: id,
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    ...authentication,
  };
}

/** What Apple asks of a client secret: ES256 by the team's key, for this client and for Apple, of half a year at most. */
async function isAppleSecret(
  given: string,
  { teamId, keyId, publicKey }: { teamId: string; keyId: string; publicKey: CryptoKey },
  clientId: string,
  audience: string,
): Promise<boolean> {
  const { payload, protectedHeader } = await jwtVerify(given, publicKey, {
    algorithms: ['ES256'],
    issuer: teamId,
    subject: clientId,
    audience,
    requiredClaims: ['iat', 'exp'],
  });
  return protectedHeader.kid === keyId && payload.exp! - payload.iat! <= 15_777_000;
}
