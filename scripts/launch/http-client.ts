import { setTimeout as sleep } from 'node:timers/promises';

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export type Answer<T> =
  | { readonly ok: true; readonly data: T; readonly nextCursor: string | null; readonly replayed: boolean }
  | { readonly ok: false; readonly refusal: Refusal };

/** Told of every request that was answered. */
export type Observer = (request: { method: string; path: string; status: number; ms: number }) => void;

export interface SignedIn {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly user: { readonly id: string; readonly handle: string };
}

interface CallOptions {
  body?: unknown;
  key?: string;
  /** Sends no token, as one who is not signed in. */
  anonymous?: boolean;
}

interface Envelope {
  data?: unknown;
  error?: Omit<Refusal, 'status'>;
  meta?: { pagination?: { nextCursor?: string | null } };
}

const TRIES = 4;
const NETWORK_PAUSE_MS = 100;

/**
 * A client of the REST API as an app has one: it keeps its tokens, exchanges the refresh token when the access token
 * has expired, sends the password again when nobody has used the session for a while, acknowledges reality checks, waits when it is told to, and tries again what may be tried again (reads, and what carries a key).
 */
export class HttpClient {
  private tokens: SignedIn | null = null;
  private refreshing: Promise<void> | null = null;
  private password = '';

  /** `base` is the API's address with its prefix, `http://127.0.0.1:3000/api/v1`. */
  constructor(
    private readonly base: string,
    private readonly observe: Observer = () => undefined,
  ) {}

  /** Throws when nobody is signed in. */
  get userId(): string {
    if (!this.tokens) throw new Error('nobody is signed in');
    return this.tokens.user.id;
  }

  async register(account: Record<string, unknown> & { password: string }): Promise<Answer<SignedIn>> {
    this.password = account.password;
    return this.keep(await this.call<SignedIn>('POST', 'auth/register', { body: account, anonymous: true }));
  }

  async signIn(email: string, password: string): Promise<Answer<SignedIn>> {
    this.password = password;
    return this.keep(
      await this.call<SignedIn>('POST', 'auth/login', { body: { email, password }, anonymous: true }),
    );
  }

  /** What a request is answered; a refusal is an answer. */
  async call<T>(method: 'GET' | 'POST', path: string, options: CallOptions = {}): Promise<Answer<T>> {
    const token = options.anonymous ? undefined : this.tokens?.accessToken;
    const answer = await this.patiently<T>(method, path, options, token);
    const code = answer.ok ? '' : answer.refusal.code;
    if (code === 'TOKEN_EXPIRED') await this.refresh(token);
    else if (code === 'REAUTHENTICATION_REQUIRED') await this.prove();
    else if (code === 'REALITY_CHECK_DUE') await this.ask('POST', 'compliance/reality-check/acknowledge');
    else return answer;
    // Who has been away for long is asked for both.
    return await this.call<T>(method, path, options);
  }

  /** Sends the password again, as before something that asks for a recent proof. */
  async prove(): Promise<void> {
    await this.ask('POST', 'auth/reauthenticate', { body: { password: this.password } });
  }

  /** What a request that must succeed is answered. Throws with the refusal otherwise. */
  async ask<T>(method: 'GET' | 'POST', path: string, options: CallOptions = {}): Promise<T> {
    return expectData(`${method} ${path}`, await this.call<T>(method, path, options));
  }

  /** Every row of a list by cursor. `path` has its query already. */
  async all<T>(path: string): Promise<T[]> {
    const rows: T[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const answer: Answer<T[]> = await this.call<T[]>(
        'GET',
        cursor === '' ? path : `${path}&cursor=${cursor}`,
      );
      rows.push(...expectData(`GET ${path}`, answer));
      cursor = answer.ok ? answer.nextCursor : null;
    }
    return rows;
  }

  private keep(answer: Answer<SignedIn>): Answer<SignedIn> {
    if (answer.ok) this.tokens = answer.data;
    return answer;
  }

  /** Once for all requests that found the same token expired: a refresh token counts only once. */
  private async refresh(expired: string | undefined): Promise<void> {
    if (this.tokens === null || this.tokens.accessToken !== expired) return;
    this.refreshing ??= this.exchange(this.tokens).finally(() => (this.refreshing = null));
    await this.refreshing;
  }

  private async exchange(tokens: SignedIn): Promise<void> {
    const body = { refreshToken: tokens.refreshToken };
    const fresh = await this.ask<Omit<SignedIn, 'user'>>('POST', 'auth/refresh', { body, anonymous: true });
    this.tokens = { ...fresh, user: tokens.user };
  }

  private async patiently<T>(
    method: string,
    path: string,
    options: CallOptions,
    token: string | undefined,
  ): Promise<Answer<T>> {
    const repeatable = method === 'GET' || options.key !== undefined;
    for (let left = TRIES - 1; ; left -= 1) {
      let response: Response;
      let body: Envelope;
      const since = performance.now();
      try {
        response = await fetch(`${this.base}/${path}`, requestOf(method, options, token));
        body = (await response.json()) as Envelope;
      } catch (error) {
        if (!repeatable || left === 0) throw new Error(`${method} ${path} got no answer`, { cause: error });
        await sleep(NETWORK_PAUSE_MS);
        continue;
      }
      const { status, headers } = response;
      this.observe({ method, path, status, ms: performance.now() - since });
      const wait = Number(headers.get('retry-after'));
      if ((status === 429 || status === 503) && wait > 0 && left > 0) await sleep(wait * 1000);
      else return toAnswer<T>(response, body);
    }
  }
}

/** The data of an answer that must be a success. */
export function expectData<T>(what: string, answer: Answer<T>): T {
  if (answer.ok) return answer.data;
  const { status, code, message, details } = answer.refusal;
  throw new Error(`${what} was refused with ${status} ${code}: ${message} ${JSON.stringify(details)}`);
}

function requestOf(method: string, options: CallOptions, token: string | undefined): RequestInit {
  const headers: Record<string, string> = {};
  if (token !== undefined) headers['Authorization'] = `Bearer ${token}`;
  if (options.key !== undefined) headers['Idempotency-Key'] = options.key;
  if (options.body === undefined) return { method, headers };
  headers['Content-Type'] = 'application/json';
  return { method, headers, body: JSON.stringify(options.body) };
}

function toAnswer<T>({ status, ok, headers }: Response, { data, error, meta }: Envelope): Answer<T> {
  if (!ok) {
    const { code = 'NO_CODE', message = '', details = {} } = error ?? {};
    return { ok: false, refusal: { status, code, message, details } };
  }
  return {
    ok: true,
    data: data as T,
    nextCursor: meta?.pagination?.nextCursor ?? null,
    replayed: headers.get('idempotent-replayed') === 'true',
  };
}
