import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { LoopbackServer } from './loopback-server.js';
import { OddsApiDocument } from './odds-api-document.js';

const ROOT = join(import.meta.dirname, '../..');
/** Real answers, which have no licence and so are no part of the product. */
export const REAL_ANSWERS = join(ROOT, '../shared/data/specs/odds-api');
export const MADE_ANSWERS = join(ROOT, 'test/fixtures/odds-api');
/** The moment that both are of. */
export const ANSWERS_AT = '2026-04-16T19:00:30Z';

/** In place of the usual answer, of the next request or of the next one to a path that holds `path`. */
export type OddsMood =
  | {
      readonly status: number;
      readonly code?: string;
      readonly headers?: Record<string, string>;
      readonly path?: string;
    }
  | { readonly text: string; readonly path?: string }
  | { readonly instead: 'silence' | 'break' | 'truncate' | 'redirect'; readonly path?: string };

interface Outcome {
  price: number;
}
export interface ServedEvent {
  id: string;
  commence_time: string;
  home_team: string;
  away_team: string;
  completed?: boolean;
  scores?: { name: string; score: string }[] | null;
  bookmakers?: { key: string; markets: { key: string; outcomes: Outcome[] }[] }[];
  [more: string]: unknown;
}

class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    problem: string,
  ) {
    super(problem);
  }
}

/**
 * Stands in for The Odds API v4, after its documentation, and knows nothing of our code. It refuses what is not allowed and remembers
 * why, counts credits as documented and keeps what it was asked.
 */
export class OddsApiServer extends LoopbackServer {
  readonly key = '0dd5a91f00000000000000000000c0de';
  /** By sport; what a test changes is what is answered from then on. */
  readonly odds = new Map<string, ServedEvent[]>();
  readonly scores = new Map<string, ServedEvent[]>();
  readonly problems: string[] = [];
  readonly requests: { readonly path: string; readonly query: URLSearchParams; readonly status: number }[] =
    [];
  moods: OddsMood[] = [];
  remaining = 100_000;
  used = 0;
  /** Whether answers carry validators, by which the next request may be a conditional one. */
  validators: 'etag' | 'last-modified' | 'none' = 'etag';
  /** What the request that is being answered costs. */
  private last = 0;
  private readonly document = new OddsApiDocument();

  constructor(private readonly folder = MADE_ANSWERS) {
    super();
    this.reset();
  }

  get env(): Record<string, string> {
    return { ODDS_API_URL: this.url, ODDS_API_KEY: this.key };
  }

  reset(): void {
    for (const list of [this.problems, this.requests, this.moods]) list.length = 0;
    [this.remaining, this.used, this.validators] = [100_000, 0, 'etag'];
    for (const kind of ['odds', 'scores'] as const) {
      this[kind].clear();
      for (const name of readdirSync(this.folder).filter((file) => file.startsWith(`${kind}_`))) {
        const events = JSON.parse(readFileSync(join(this.folder, name), 'utf8')) as ServedEvent[];
        this[kind].set(name.slice(kind.length + 1, -'.json'.length), events);
      }
    }
  }

  protected async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const index = this.moods.findIndex(({ path }) => path === undefined || pathname.includes(path));
    const [mood] = index < 0 ? [] : this.moods.splice(index, 1);
    const answer = (status: number, body: string, headers: Record<string, string> = {}): void => {
      this.requests.push({ path: pathname, query: searchParams, status });
      const quota = {
        'x-requests-remaining': String(this.remaining),
        'x-requests-used': String(this.used),
        'x-requests-last': String(this.last),
      };
      response.writeHead(status, { 'Content-Type': 'application/json', ...quota, ...headers }).end(body);
    };
    const refuse = (status: number, code: string, headers: Record<string, string> = {}): void =>
      answer(status, JSON.stringify({ message: `${request.url}`, error_code: code }), headers);
    this.last = 0;
    if (mood && 'status' in mood) return refuse(mood.status, mood.code ?? 'INTERNAL', mood.headers);
    if (mood && 'text' in mood) return answer(200, mood.text);
    if (mood?.instead === 'silence')
      return void this.requests.push({ path: pathname, query: searchParams, status: 0 });
    if (mood?.instead === 'break') return void request.socket.destroy();
    if (mood?.instead === 'redirect')
      return answer(302, '', { Location: `${this.url}/elsewhere${request.url}` });
    try {
      const events = this.respond(request.method ?? '', pathname, searchParams);
      const body = JSON.stringify(events);
      const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`;
      const modified = new Date(
        Date.parse(ANSWERS_AT) - (Number.parseInt(etag.slice(1, 8), 16) % 86_400_000),
      ).toUTCString();
      // With the validator of the whole, as of an answer that was cut off on its way.
      if (mood && 'instead' in mood && mood.instead === 'truncate')
        return answer(200, body.slice(0, body.length / 2), { ETag: etag });
      if (this.validators === 'none') return answer(200, body);
      const isEtag = this.validators === 'etag';
      const header: Record<string, string> = isEtag ? { ETag: etag } : { 'Last-Modified': modified };
      const sent = isEtag ? request.headers['if-none-match'] : request.headers['if-modified-since'];
      if (sent === (isEtag ? etag : modified)) answer(304, '', header);
      else answer(200, body, header);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.problems.push(error.message);
      refuse(error.status, error.code);
    }
  }

  private respond(method: string, path: string, query: URLSearchParams): object[] {
    if (query.get('apiKey') === null) throw new Refused(401, 'MISSING_KEY', 'no apiKey');
    if (query.get('apiKey') !== this.key) throw new Refused(401, 'INVALID_KEY', 'another apiKey');
    const [, sport = '', what = ''] = /^\/v4\/sports\/([^/]+)\/(odds|scores|events)$/.exec(path) ?? [];
    if (method !== 'GET' || what === '') throw new Refused(404, 'NOT_FOUND', `no ${method} ${path}`);
    const problem = this.document.problemOf(`/v4/sports/{sport}/${what}`, query);
    if (problem) throw new Refused(422, problem.code, problem.text);
    const known = this.odds.get(sport);
    if (!known) throw new Refused(404, 'UNKNOWN_SPORT', `no sport ${sport}`);
    const isWanted = filterOf(query);
    if (what === 'odds') return this.oddsOf(known.filter(isWanted), query);
    if (what === 'scores') return this.scoresOf((this.scores.get(sport) ?? []).filter(isWanted), query);
    return known.filter(isWanted).map(({ bookmakers: _, ...meta }) => dated(meta as ServedEvent, query));
  }

  private oddsOf(events: readonly ServedEvent[], query: URLSearchParams): object[] {
    const regions = query.get('regions')?.split(',') ?? [];
    const markets = (query.get('markets') ?? 'h2h').split(',');
    if (!query.has('oddsFormat')) this.problems.push('oddsFormat is left to its default');
    if (events.length > 0) this.spend(regions.length * markets.length);
    const isLay = (key: string): boolean => markets.includes(key.replace(/_lay$/, ''));
    return events.map((event) => ({
      ...dated(event, query),
      bookmakers: (event.bookmakers ?? []).map((bookmaker) => ({
        ...bookmaker,
        markets: bookmaker.markets
          .filter(({ key }) => isLay(key))
          .map((market) => (query.get('oddsFormat') === 'american' ? inAmerican(market) : market)),
      })),
    }));
  }

  private scoresOf(events: readonly ServedEvent[], query: URLSearchParams): object[] {
    const days = query.get('daysFrom');
    const told = events.filter(({ completed }) => !completed || days !== null);
    if (told.length > 0) this.spend(days === null ? 1 : 2);
    return told.map((event) => dated(event, query));
  }

  private spend(cost: number): void {
    // Seen so in answers of theirs; the documentation of the quota speaks of 429.
    if (this.remaining < cost) throw new Refused(401, 'OUT_OF_USAGE_CREDITS', 'no credits are left');
    this.remaining -= cost;
    this.used += cost;
    this.last = cost;
  }
}

function filterOf(query: URLSearchParams): (event: ServedEvent) => boolean {
  const ids = query.get('eventIds')?.split(',');
  const [from, to] = [query.get('commenceTimeFrom'), query.get('commenceTimeTo')];
  return ({ id, commence_time: start }) =>
    (ids?.includes(id) ?? true) && (from === null || start >= from) && (to === null || start <= to);
}

function dated(event: ServedEvent, query: URLSearchParams): object {
  return query.get('dateFormat') === 'unix'
    ? { ...event, commence_time: Date.parse(event.commence_time) / 1000 }
    : event;
}

function inAmerican(market: { key: string; outcomes: Outcome[] }): object {
  const american = (price: number): number =>
    price >= 2 ? Math.round((price - 1) * 100) : Math.round(-100 / (price - 1));
  return { ...market, outcomes: market.outcomes.map((each) => ({ ...each, price: american(each.price) })) };
}

export function hasRealAnswers(): boolean {
  return existsSync(REAL_ANSWERS);
}
