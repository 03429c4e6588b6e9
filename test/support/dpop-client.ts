import { calculateThumbprint, generateKeyPair, generateProof, type JWSAlgorithm, type KeyPair } from 'dpop';
import { type Answer, Client } from './client.js';
import type { System } from './system.js';

/** What to lie about in a proof. */
export interface Lie {
  htm?: string;
  htu?: string;
  token?: string | null;
  iat?: number;
  key?: KeyPair;
}

/** A client whose session is bound to its key, by the library that such clients use. */
export class DpopClient {
  accessToken = '';
  refreshToken = '';

  private constructor(
    private readonly system: System,
    readonly key: KeyPair,
  ) {}

  static async of(system: System, algorithm: JWSAlgorithm = 'ES256'): Promise<DpopClient> {
    return new DpopClient(system, await generateKeyPair(algorithm));
  }

  async thumbprint(): Promise<string> {
    return await calculateThumbprint(this.key.publicKey);
  }

  proof(method: string, path: string, lie: Lie = {}): Promise<string> {
    const token = lie.token === undefined ? this.accessToken || null : lie.token;
    const iat = lie.iat ?? Math.floor(this.system.now().getTime() / 1000);
    const url = lie.htu ?? `${this.system.url}/api/v1/${path}`;
    // The library asks the system for the time, before anything that it waits for.
    const { now } = Date;
    Date.now = () => iat * 1000;
    try {
      return generateProof(lie.key ?? this.key, url, lie.htm ?? method, undefined, token ?? undefined);
    } finally {
      Date.now = now;
    }
  }

  /** A call with the token and a proof of its own, or what is given instead. */
  async call(
    method: string,
    path: string,
    options: { body?: unknown; proof?: string | null; scheme?: string; url?: string } = {},
  ): Promise<Answer> {
    const proof = options.proof === undefined ? await this.proof(method, path) : options.proof;
    const headers: Record<string, string> = proof === null ? {} : { DPoP: proof };
    if (this.accessToken !== '') headers['Authorization'] = `${options.scheme ?? 'DPoP'} ${this.accessToken}`;
    return await new Client(options.url ?? this.system.url).call(method, path, {
      headers,
      body: options.body,
    });
  }

  /** Signs in, or refreshes, and keeps the tokens. */
  async take(answer: Answer): Promise<void> {
    if (answer.status >= 300) throw new Error(`${answer.status} ${JSON.stringify(answer.error)}`);
    this.accessToken = answer.data.accessToken;
    this.refreshToken = answer.data.refreshToken;
  }

  async refresh(refreshToken = this.refreshToken, lie: Lie = {}): Promise<Answer> {
    const proof = await this.proof('POST', 'auth/refresh', { token: null, ...lie });
    return await new Client(this.system.url).post(
      'auth/refresh',
      { refreshToken },
      { headers: { DPoP: proof } },
    );
  }
}
