import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { KEY } from '../../src/modules/sports/domain/markets.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { fingerprint } from '../support/fingerprint.js';
import { brokenEnvelope, type Hit, inBatches, type Shot, shoot } from '../support/refusals.js';
import { startSystem, type System } from '../support/system.js';

const WEEK = 202340;
const FIXTURES = join(import.meta.dirname, '../fixtures/bad-input');
/** The whole corpus, where it is at hand. */
const CORPUS = join(import.meta.dirname, '../../../shared/data/bad-input/json-parsing');
/** Hashing a password takes some 20 ms of a core: these many strings are sent to where one is hashed. */
const HASHED = 60;
/** Of 50 wrong passwords a network is locked out. */
const TRIES = 45;

const fixture = (name: string): unknown => JSON.parse(readFileSync(join(FIXTURES, name), 'utf8'));
const STRINGS = [fixture('blns.json'), fixture('sqli.json')].flat() as string[];
const JSON_FILES = Object.entries(fixture('json-parsing.json') as Record<string, string>).map(
  ([name, base64]) => [name, Buffer.from(base64, 'base64')] as const,
);

/** About that many of the strings, evenly taken. */
function some(count: number): string[] {
  const step = Math.ceil(STRINGS.length / count);
  return STRINGS.filter((_, index) => index % step === 0);
}

describe('bad input', () => {
  let system: System;
  let player: Client;
  let taken: string;
  let market: { id: string; odds: Record<string, string> };
  let before: Record<string, string>;

  beforeAll(async () => {
    system = await startSystem({
      worker: false,
      at: '2023-10-03T12:00:00Z',
      env: { TRUSTED_PROXIES: 'loopback' },
    });
    const make = new Builders(system);
    await make.week(WEEK, { group: false });
    [player] = (await make.players(1, { pass: WEEK })) as [Client];
    await make.week(WEEK);
    market = (await make.game({ startsAt: '2023-10-08T17:00:00Z' })).moneyline;
    taken = (await player.get('me')).data.user.email;
  });
  afterAll(async () => system.stop());

  beforeEach(async () => {
    before = await fingerprint(system);
  });
  afterEach(async () => {
    expect(await fingerprint(system)).toMatchObject(before);
  });

  const json = (over: Record<string, string> = {}) => ({
    'Content-Type': 'application/json',
    Authorization: `Bearer ${player.token}`,
    'Idempotency-Key': randomUUID(),
    ...over,
  });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Omit<Shot, 'what'> => ({
    method: 'POST',
    path: `/api/v1/${path}`,
    headers: json(headers),
    body: JSON.stringify(body),
  });
  const get = (path: string, headers: Record<string, string> = {}): Omit<Shot, 'what'> => ({
    method: 'GET',
    path: `/api/v1/${path}`,
    headers: json(headers),
  });
  const inUrl = (text: string) => encodeURIComponent(text.toWellFormed());
  /** The text's UTF-8 bytes as HTTP carries them in a header; what ends a header cannot be in one. */
  const inHeader = (text: string) =>
    Array.from(Buffer.from(text, 'utf8').toString('latin1'))
      .filter((letter) => letter === '\t' || (letter >= ' ' && letter !== '\u007f'))
      .join('');

  /** A write must be refused, a read may find nothing; nothing may fail. */
  const isWrong = ({ method }: Pick<Shot, 'method'>, hit: Hit): string | null =>
    method === 'GET' && hit.status === 200 ? null : brokenEnvelope(hit);

  async function assertSurvives(
    shots: readonly Shot[],
    also: (shot: Shot, hit: Hit) => string | null = () => null,
  ) {
    const wrong: string[] = [];
    await inBatches(shots, async (shot) => {
      const hit = await shoot(system.url, shot);
      const problem = isWrong(shot, hit) ?? also(shot, hit);
      if (problem !== null) wrong.push(`${shot.method} ${shot.path.slice(0, 80)} ${shot.what}: ${problem}`);
    });
    expect(wrong).toEqual([]);
  }

  /** Every string at a place. */
  function at(place: (text: string) => Omit<Shot, 'what'>, strings: readonly string[] = STRINGS): Shot[] {
    return strings.map((text) => ({ ...place(text), what: JSON.stringify(text).slice(0, 80) }));
  }

  const account = (over: Record<string, unknown>) => ({
    email: 'new@example.com',
    password: 'correct horse battery',
    handle: 'newcomer',
    birthDate: '1990-12-10',
    termsVersion: '2020-01', // outdated: refused before a password is hashed
    ...over,
  });

  /** Whether each of the fields is among those that are refused. */
  const refusesAll =
    (...fields: string[]) =>
    (_: Shot, { status, code, text }: Hit): string | null => {
      if (status !== 400 || code !== 'VALIDATION_FAILED') return `${status} ${code}`;
      const { error } = JSON.parse(text) as { error: { details: { fields: { field: string }[] } } };
      const refused = new Set(error.details.fields.map(({ field }) => field));
      const missed = fields.filter((field) => !refused.has(field));
      return missed.length > 0 ? `${missed.join()} is let through` : null;
    };

  it('as fields of a new account opens none', async () => {
    await assertSurvives(
      at((text) => post('auth/register', account({ email: text, handle: `${text}!`, birthDate: text }))),
      refusesAll('email', 'handle', 'birthDate'),
    );
    await assertSurvives(
      at((text) => post('auth/register', account({ password: text, displayName: text, termsVersion: text }))),
      (_, { code }) =>
        ['VALIDATION_FAILED', 'PASSWORD_BREACHED', 'TERMS_VERSION_OUTDATED'].includes(String(code))
          ? null
          : String(code),
    );
  });

  it('as the name of an account whose email is taken gets as far as the database, and no further', async () => {
    const known = account({ email: taken, termsVersion: '2026-11' });
    let network = 0; // of each its own: who is answered so again and again has to wait
    const place = (text: string) =>
      post(
        'auth/register',
        { ...known, displayName: text },
        { 'X-Forwarded-For': `10.9.${(network += 1)}.1` },
      );
    await assertSurvives(at(place, some(HASHED)), (_, { status, code }) =>
      status === 400 || code === 'EMAIL_TAKEN' ? null : `${status} ${code}`,
    );
    // That it was asked is counted, and told to whoever must know; the account is as it was.
    delete before['attempt_counters'];
    delete before['outbox'];
    const { rows } = await system.db.query('UPDATE users SET address_tried_at = NULL RETURNING id');
    expect(rows).toHaveLength(1);
  });

  it('as email and password signs nobody in', async () => {
    await assertSurvives(
      at((text) => post('auth/login', { email: text, password: text }), some(TRIES)),
      (_, { status }) => (status === 400 || status === 401 ? null : `status ${status}`),
    );
    delete before['attempt_counters']; // who tries passwords is counted
  });

  it('as a token refreshes nothing, and accepts no terms', async () => {
    await assertSurvives([
      ...at((text) => post('auth/refresh', { refreshToken: text })),
      ...at((text) => post('auth/terms', { version: text })),
    ]);
  });

  it('as fields of a bet, known and unknown, places none', async () => {
    const bet = { marketId: market.id, outcome: 'home', stake: 10, oddsId: market.odds['home'] };
    const everywhere = (text: string) =>
      post('bets', { marketId: text, outcome: text, stake: text, oddsId: text, acceptOdds: text });
    // What a prop's outcome may be named is refused when the market is looked at.
    const names = STRINGS.filter((text) => KEY.test(text));
    const others = STRINGS.filter((text) => !KEY.test(text));
    const fields = ['marketId', 'stake', 'oddsId', 'acceptOdds'];
    await assertSurvives(at(everywhere, others), refusesAll(...fields, 'outcome'));
    await assertSurvives(at(everywhere, names), refusesAll(...fields));
    await assertSurvives(at((text) => post('bets', { ...bet, [text]: text })));
  });

  it('in a query finds nothing', async () => {
    const dates = (text: string) =>
      ['date', 'from', 'to', 'limit'].map((name) => `${name}=${inUrl(text)}`).join('&');
    await assertSurvives(
      at((text) => get(`games?${dates(text)}`)),
      refusesAll('date', 'from', 'to'),
    );
    for (const place of [
      'bets?week',
      'bets?status',
      'bets?cursor',
      'games?sport',
      'weeks/current/draw?cursor',
    ])
      await assertSurvives(at((text) => get(`${place}=${inUrl(text)}`)));
    await assertSurvives(at((text) => get(`games?${inUrl(text)}=1`), some(200)));
  });

  it('in a path finds nothing', async () => {
    await assertSurvives([
      ...at((text) => get(`bets/${inUrl(text)}`)),
      ...at((text) => get(`weeks/${inUrl(text)}`)),
      ...at((text) => get(`games/${inUrl(text)}/markets`), some(200)),
      ...at((text) => get(`weeks/2023-W40/pools/${inUrl(text)}/leaderboard`), some(200)),
    ]);
  });

  it('raw in a path finds nothing', async () => {
    const raw = STRINGS.map((text) => text.toWellFormed()).filter(
      (text) => URL.parse(`http://x/api/v1/weeks/${text}`)?.pathname.startsWith('/api/v1/') === true,
    );
    await assertSurvives(at((text) => get(`weeks/${text}`), raw));
  });

  it('as Idempotency-Key is no key, or one of a bet that is refused', async () => {
    const bet = { marketId: randomUUID(), outcome: 'home', stake: 10, oddsId: market.odds['home'] };
    await assertSurvives(
      at((text) => post('bets', bet, { 'Idempotency-Key': inHeader(text) })),
      (_, { code }) =>
        code === 'MARKET_NOT_FOUND' || code === 'IDEMPOTENCY_KEY_REQUIRED' ? null : String(code),
    );
  });

  it('as X-Request-Id is told back when it is one, and never otherwise', async () => {
    await assertSurvives(
      at((text) => get('weeks/none', { 'X-Request-Id': inHeader(text) })),
      ({ headers }, hit) => {
        const told = hit.headers.get('x-request-id') ?? '';
        const given = headers?.['X-Request-Id'];
        const isOne =
          /^[A-Za-z0-9._:-]{1,128}$/.test(told) && (told === given || /^[0-9a-f-]{36}$/.test(told));
        return isOne ? null : `told ${told}`;
      },
    );
  });

  it('as Authorization or User-Agent is nobody', async () => {
    await assertSurvives(
      [
        ...at((text) => get('me', { Authorization: inHeader(text) }), some(200)),
        ...at((text) => get('me', { Authorization: `Bearer ${inHeader(text)}` })),
      ],
      (_, { code }) => (code === 'UNAUTHENTICATED' ? null : String(code)),
    );
    await assertSurvives(at((text) => get('bets', { 'User-Agent': inHeader(text) }), some(200)));
  });

  /** What JSON is not must be told as such; what it is, is no bet and no sign-in. */
  async function assertRefusesBodies(
    files: readonly (readonly [string, Uint8Array<ArrayBuffer>])[],
  ): Promise<void> {
    const shots = files.flatMap(([name, bytes]) =>
      ['bets', 'auth/login', 'auth/logout'].map((path) => ({ ...post(path, null), body: bytes, what: name })),
    );
    // Signing out asks for no body: only what is no JSON is sent to it.
    const sent = shots.filter(
      ({ path, what }) => !path.endsWith('logout') || (what.startsWith('n_') && !isEmpty(what)),
    );
    await assertSurvives(sent, ({ what }, { code }) => {
      const expected = what.startsWith('n_') && !isEmpty(what) ? ['MALFORMED_JSON'] : ['VALIDATION_FAILED'];
      if (what.startsWith('i_')) expected.push('MALFORMED_JSON');
      return expected.includes(String(code)) ? null : String(code);
    });
  }

  /** Without a single character there is no body. */
  const isEmpty = (name: string) => name === 'n_structure_no_data' || name === 'n_structure_UTF8_BOM_no_data';

  it('refuses bodies of the JSON corpus', async () => {
    await assertRefusesBodies(JSON_FILES);
    await assertRefusesBodies([
      ['n_100000_opening_arrays', Buffer.from('['.repeat(100_000))],
      ['n_50000_opening_objects_in_arrays', Buffer.from('[{"":'.repeat(20_000))],
    ]);
  });

  const whenAtHand = existsSync(CORPUS) ? it : it.skip;
  whenAtHand('refuses bodies of the whole JSON corpus', async () => {
    const names = readdirSync(CORPUS).filter((name) => name.endsWith('.json'));
    const files = names.map((name) => [name.slice(0, -5), readFileSync(join(CORPUS, name))] as const);
    const [large, rest] = [
      files.filter(([, bytes]) => bytes.length > 102_400),
      files.filter(([, bytes]) => bytes.length <= 102_400),
    ];
    await assertRefusesBodies(rest);
    await assertSurvives(
      large.map(([what, body]) => ({ ...post('bets', null), body, what })),
      (_, { code }) => (code === 'BODY_TOO_LARGE' ? null : String(code)),
    );
  });

  /** The corpus has a 42 among its values. */
  function isStake(bytes: Buffer): boolean {
    try {
      const value: unknown = JSON.parse(bytes.toString());
      return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 1000;
    } catch {
      return false;
    }
  }

  it('takes no value of the corpus for a stake', async () => {
    const values = JSON_FILES.filter(([name, bytes]) => /^[yi]_/.test(name) && !isStake(bytes));
    const bet = `{"marketId":"${market.id}","outcome":"home","oddsId":"${market.odds['home']}","stake":`;
    await assertSurvives(
      values.map(([what, bytes]) => ({
        ...post('bets', null),
        body: Buffer.concat([Buffer.from(bet), bytes, Buffer.from('}')]),
        what,
      })),
    );
  });
});
