import { paymentsErrors } from '../../payments.errors.js';

const TIMEOUT_MS = 20_000;
const MAX_ANSWER_BYTES = 65_536;
const RETRY_AFTER_SECONDS = 10;

export interface ApiRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: object;
}

export interface ApiAnswer {
  readonly status: number;
  /** Empty when they answered no JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** One gateway that speaks JSON. What it was asked is never in an error: requests have telephone numbers in them. */
export class JsonApi {
  private readonly base: string;

  constructor(
    readonly provider: string,
    base: string,
  ) {
    this.base = base.replace(/\/+$/, '');
  }

  /** Throws PROVIDER_UNAVAILABLE when no answer comes. What was asked may have been done all the same. */
  async call({ method, path, headers, body }: ApiRequest): Promise<ApiAnswer> {
    try {
      const response = await fetch(`${this.base}${path}`, {
        method,
        headers: {
          Accept: 'application/json',
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'error', // the credentials go nowhere else
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return { status: response.status, body: readObject(await textOf(response)) };
    } catch (cause) {
      throw this.unavailable('no answer', cause);
    }
  }

  /** `said` goes into the log. */
  unavailable(said: string, cause?: unknown): Error {
    const error = new Error(`${this.provider}: ${said}`, { cause });
    return paymentsErrors.PROVIDER_UNAVAILABLE(
      { provider: this.provider, retryAfter: RETRY_AFTER_SECONDS },
      { cause: error },
    );
  }
}

function readObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('an answer without end');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
