import type { FeedQuota } from '../feed-problem.js';
import { FeedSilence } from '../feed-silence.js';
import { isObject, parseExactly } from './wire.js';

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** As the provider asks of whoever was rate-limited. */
const PAUSE_SECONDS = 2;
const MAX_PAUSE_SECONDS = 3600;
const SPENT = 'OUT_OF_USAGE_CREDITS';

interface Validators {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

/** `null` where the provider said that nothing has changed since its last whole answer. */
export type Answer = readonly unknown[] | null;

/** The provider does not have this: the sport is out of season, or was never one of theirs. */
export class UnknownThere extends Error {}

/**
 * Asks The Odds API. Its key travels in the query, so that no address of a request is ever in an error, nor what `fetch` says about
 * one; of their errors only the code is taken.
 */
export class OddsApiClient {
  private readonly base: string;
  private readonly known = new Map<string, Validators>();
  private pausedUntil = 0;
  private pauseReason = '';
  private lastQuota: FeedQuota | null = null;

  constructor(
    base: string,
    private readonly key: string,
    private readonly spentPauseSeconds: number,
  ) {
    this.base = base.replace(/\/+$/, '');
  }

  /** What the headers of the last answer told. */
  get quota(): FeedQuota | null {
    return this.lastQuota;
  }

  /** So that the next answers are whole ones. */
  forget(): void {
    this.known.clear();
  }

  /**
   * The list that is answered at a path. Throws {@link UnknownThere}, and {@link FeedSilence} when no answer comes, or none that is whole. After a refusal for asking too
   * much, and for as long as a failing server asks for, nobody is asked.
   */
  async get(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer> {
    const wait = (this.pausedUntil - performance.now()) / 1000;
    if (wait > 0) throw new FeedSilence(this.pauseReason, Math.ceil(wait));
    const address = `${path}?${new URLSearchParams(query).toString()}`;
    const { status, headers, text } = await this.ask(path, query, this.known.get(address), signal);
    this.lastQuota = readQuota(headers) ?? this.lastQuota;
    if (status === 304 && this.known.has(address)) return null;
    if (status !== 200) throw this.refusal(path, status, headers, text);
    const list = parsed(path, text);
    // Only of what was whole: half an answer is not to be what nothing has changed since.
    this.known.set(address, { etag: headers.get('etag'), lastModified: headers.get('last-modified') });
    return list;
  }

  private async ask(
    path: string,
    query: Readonly<Record<string, string>>,
    validators: Validators | undefined,
    signal: AbortSignal,
  ): Promise<{ status: number; headers: Headers; text: string }> {
    const search = new URLSearchParams({ ...query, apiKey: this.key });
    try {
      const response = await fetch(`${this.base}${path}?${search.toString()}`, {
        headers: {
          Accept: 'application/json',
          ...(validators?.etag ? { 'If-None-Match': validators.etag } : {}),
          ...(validators?.lastModified ? { 'If-Modified-Since': validators.lastModified } : {}),
        },
        redirect: 'error', // the key goes nowhere else
        signal,
      });
      return { status: response.status, headers: response.headers, text: await textOf(response) };
    } catch (error) {
      throw new FeedSilence(`no answer to ${path} (${causeOf(error)})`);
    }
  }

  private refusal(path: string, status: number, headers: Headers, text: string): Error {
    const code = errorCode(text);
    if (status === 404 || code === 'UNKNOWN_SPORT' || code === 'INVALID_SPORT')
      return new UnknownThere(`${path}: ${status} ${code}`);
    const said = `${path} was answered by ${status}${code === '' ? '' : ` ${code}`}`;
    if (code === SPENT) return this.pause(said, this.spentPauseSeconds);
    const asked = retryAfter(headers);
    if (status === 429) return this.pause(said, asked ?? PAUSE_SECONDS);
    return asked !== null && status >= 500 ? this.pause(said, asked) : new FeedSilence(said);
  }

  private pause(said: string, seconds: number): FeedSilence {
    const wait = Math.min(seconds, MAX_PAUSE_SECONDS);
    this.pausedUntil = performance.now() + wait * 1000;
    this.pauseReason = said;
    return new FeedSilence(said, wait);
  }
}

function parsed(path: string, text: string): readonly unknown[] {
  let body: unknown;
  try {
    body = parseExactly(text);
  } catch {
    throw new FeedSilence(`the answer to ${path} is no JSON, or not all of it`);
  }
  if (!Array.isArray(body)) throw new FeedSilence(`the answer to ${path} is no list`);
  return body as unknown[];
}

/** `ECONNREFUSED`, `TimeoutError`, …: a code or a class, never a text, in which the address may stand. */
function causeOf(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: unknown }; name?: unknown };
  return typeof cause?.code === 'string' ? cause.code : String(name);
}

/** `{"message": …, "error_code": "INVALID_KEY", …}` */
function errorCode(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    const code = isObject(body) ? body['error_code'] : undefined;
    return typeof code === 'string' && /^[A-Z_]{3,60}$/.test(code) ? code : '';
  } catch {
    return '';
  }
}

/** Seconds, or a date, which is held against the answer's own, for their clock is not ours. */
function retryAfter(headers: Headers): number | null {
  const text = headers.get('retry-after') ?? '';
  if (/^\d{1,6}$/.test(text)) return Number(text);
  const wait = (Date.parse(text) - Date.parse(headers.get('date') ?? '')) / 1000;
  return wait > 0 ? Math.ceil(wait) : null;
}

function readQuota(headers: Headers): FeedQuota | null {
  const [remaining, used, lastCost] = ['remaining', 'used', 'last'].map((name) => {
    const text = headers.get(`x-requests-${name}`) ?? '';
    return /^\d{1,12}(\.\d+)?$/.test(text) ? Math.floor(Number(text)) : null;
  });
  if (remaining === null || remaining === undefined) return null;
  return { remaining, used: used ?? 0, lastCost: lastCost ?? 0 };
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
