import { randomUUID } from 'node:crypto';

export interface Answer<T = any> {
  status: number;
  headers: Headers;
  /** `data` of a success. */
  data: T;
  /** `error` of a failure. */
  error: { code: string; message: string; details: Record<string, unknown>; requestId: string };
  body: any;
}

export interface CallOptions {
  token?: string | null;
  body?: unknown;
  key?: string | null;
  headers?: Record<string, string>;
}

/** A client of the REST API, from outside. */
export class Client {
  constructor(
    readonly url: string,
    readonly token: string | null = null,
    readonly userId = '',
  ) {}

  async call<T = any>(method: string, path: string, options: CallOptions = {}): Promise<Answer<T>> {
    const token = options.token === undefined ? this.token : options.token;
    const response = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
        ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(options.key === null || options.key === undefined ? {} : { 'Idempotency-Key': options.key }),
        ...options.headers,
      },
      ...(options.body === undefined
        ? {}
        : { body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
    });
    const text = await response.text();
    const body = text.startsWith('{') ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, data: body.data, error: body.error, body };
  }

  async get<T = any>(path: string, options: CallOptions = {}): Promise<Answer<T>> {
    return await this.call<T>('GET', path, options);
  }

  async post<T = any>(path: string, body: unknown = {}, options: CallOptions = {}): Promise<Answer<T>> {
    return await this.call<T>('POST', path, { body, ...options });
  }

  /** Places a bet with a new key unless one is given. */
  async bet(body: object, key: string = randomUUID()): Promise<Answer> {
    return await this.post('bets', body, { key });
  }
}
