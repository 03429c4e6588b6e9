import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, follow, type OpenApiDocument, operationsOf } from '../../scripts/openapi/document.js';
import { problemsOf } from '../../scripts/openapi/problems.js';
import { Schemas } from '../../scripts/openapi/schemas.js';
import { describeApi } from '../../src/bootstrap.js';
import { errorCatalogue } from '../../src/platform/http/domain-error.js';
import { Builders, PASSWORD, type TestGame } from '../support/builders.js';
import { Client } from '../support/client.js';
import { eventually, startSystem, type System } from '../support/system.js';

const WEEK = 202340;
/** Needs a job that has failed every attempt. */
const NOT_CALLED = ['Queues_retry'];

describe('the OpenAPI document', () => {
  let system: System;
  let document: OpenApiDocument;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-01T12:00:00Z' });
    document = (await (await fetch(`${system.url}/docs/openapi.json`)).json()) as OpenApiDocument;
  });
  afterAll(async () => system.stop());

  it('is valid OpenAPI 3.1, complete, and its examples fit', async () => {
    expect(await problemsOf(document, new Map(errorCatalogue()))).toEqual([]);
  });

  it('is the same when no database is at hand', async () => {
    expect(JSON.parse(JSON.stringify(await describeApi(system.config)))).toEqual(document);
  });

  it('is shown to people too', async () => {
    const page = await fetch(`${system.url}/docs`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  });

  it('is not served when it is switched off', async () => {
    const { createApi } = await import('../../src/bootstrap.js');
    const app = await createApi(Object.assign(structuredClone(system.config), { DOCS_ENABLED: false }));
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    expect((await fetch(`${url}/docs/openapi.json`)).status).toBe(404);
    await app.close();
  });

  it('tells the shape of what every operation answers, to the property', async () => {
    const schemas = new Schemas(sealed(document));
    const operations = new Map(operationsOf(document).map((one) => [one.operation.operationId, one]));
    const called = new Set<string>();
    const wrong: string[] = [];

    async function call(id: string, client: Client, values: Record<string, string> = {}, body?: object) {
      const { method, path, operation } = operations.get(id)!;
      called.add(id);
      const filled = path.replace('/api/v1/', '').replace(/\{(\w+)\}/g, (_, name: string) => values[name]!);
      const answer = await client.call(method, filled, { key: randomUUID(), ...(body ? { body } : {}) });
      const declared = operation.responses[String(answer.status)];
      const media = declared && follow<Answer>(document, declared)?.content?.['application/json'];
      const misfit = media
        ? schemas.misfit(media.schema, answer.body)
        : `${answer.status} ${answer.error?.code}`;
      if (misfit !== null || answer.status >= 300)
        wrong.push(`${id}: ${misfit ?? JSON.stringify(answer.error)}`);
      return answer.data;
    }

    const make = new Builders(system);
    const anyone = new Client(system.url);
    const admin = await make.admin();
    const account = { email: 'ada@example.com', password: PASSWORD, handle: 'ada', birthDate: '1990-12-10' };
    const { user } = await call('Auth_register', anyone, {}, { ...account, termsVersion: '2026-11' });
    const signedIn = await call('Auth_login', anyone, {}, { email: account.email, password: PASSWORD });
    const tokens = await call('Auth_refresh', anyone, {}, { refreshToken: signedIn.refreshToken });
    await call('Auth_acceptTerms', new Client(system.url, tokens.accessToken), {}, { version: '2026-11' });
    await make.week(WEEK, { group: false });
    await make.players(1, { pass: WEEK });
    const id = '2023-W40';
    await call('PoolsAdmin_grantPass', admin, { id: user.id }, { kind: 'week_pass', week: id });
    const games: TestGame[] = [];
    for (const startsAt of ['2023-10-08T17:00:00Z', '2023-10-08T20:00:00Z'])
      games.push(await make.game({ startsAt }));
    const [game, second] = games as [TestGame, TestGame];

    await call('Clock_move', admin, {}, { now: '2023-10-02T12:00:00.000Z' });
    await system.moveTo('2023-10-02T12:00:00.000Z');
    const again = await call('Auth_login', anyone, {}, { email: account.email, password: PASSWORD });
    const player = new Client(system.url, again.accessToken, user.id);
    const adminToken = await adminAgain(admin);
    await call('PoolsAdmin_group', adminToken, { id });
    const bets = [game.moneyline, game.spread, second.total].map((market) => ({
      marketId: market.id,
      outcome: Object.keys(market.odds)[0],
      stake: 20,
      oddsId: Object.values(market.odds)[0],
    }));
    const placed = [];
    for (const bet of bets) placed.push(await call('Bets_place', player, {}, bet));
    const me = await call('Me_me', player);
    const poolId = me.pool.id;
    await call('Me_myTable', player);
    await call('SportsAdmin_suspend', adminToken, { id: second.spread.id }, { reason: 'test' });
    await call('SportsAdmin_resume', adminToken, { id: second.spread.id }, { reason: 'test' });
    await call('SportsAdmin_void', adminToken, { id: second.total.id }, { reason: 'test' });

    await system.moveTo('2023-10-10T12:00:00Z');
    const late = await call('Auth_login', anyone, {}, { email: account.email, password: PASSWORD });
    const reader = new Client(system.url, late.accessToken, user.id);
    const operator = await adminAgain(admin);
    for (const { id: gameId } of games)
      await call(
        'SportsAdmin_result',
        operator,
        { id: gameId },
        { status: 'final', homeScore: 42, awayScore: 10 },
      );
    const settlement = await eventually(async () => {
      const { rows } = await system.db.query<{ id: string; status: string }>(
        'SELECT id, status FROM settlements',
      );
      return rows.length >= games.length && rows.every(({ status }) => status === 'done') && rows[0];
    });
    await call('SettlementAdmin_get', operator, { id: settlement.id });
    await eventually(async () => (await reader.get(`weeks/${id}`)).data.status !== 'grouped');
    await call('SettlementAdmin_settleWeek', operator, { id });

    for (const name of ['Games', 'Events']) {
      await call(`${name}_list`, reader);
      await call(`${name}_get`, reader, { id: game.id });
      await call(`${name}_markets`, reader, { id: game.id });
    }
    await call('Bets_list', reader);
    for (const { betId } of placed) await call('Bets_get', reader, { id: betId });
    for (const name of ['get', 'pools', 'draw']) await call(`Weeks_${name}`, reader, { id });
    for (const name of ['leaderboard', 'members', 'poolPrizes'])
      await call(`Weeks_${name}`, reader, { id, poolId });
    for (const name of ['figures', 'list']) await call(`Queues_${name}`, operator);
    await call('Clock_now', anyone);
    await call('Compliance_status', reader);
    await call('Compliance_timeOut', reader, {}, { days: 7 });
    await call('Auth_logout', reader);

    expect(wrong).toEqual([]);
    expect([...operations.keys()].filter((one) => !called.has(String(one)))).toEqual(NOT_CALLED);
  });

  async function adminAgain(admin: Client): Promise<Client> {
    const { rows } = await system.db.query<{ email: string }>('SELECT email FROM users WHERE id = $1', [
      admin.userId,
    ]);
    const signedIn = await new Client(system.url).post('auth/login', {
      email: rows[0]!.email,
      password: PASSWORD,
    });
    return new Client(system.url, signedIn.data.accessToken, admin.userId);
  }
});

/** The document with every object closed: a property that is not declared does not fit. */
function sealed<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sealed) as T;
  if (value === null || typeof value !== 'object') return value;
  const inner = Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, key === 'example' ? one : sealed(one)]),
  );
  const isObject = inner['type'] === 'object' && typeof inner['properties'] === 'object';
  return (isObject ? { additionalProperties: false, ...inner } : inner) as T;
}
