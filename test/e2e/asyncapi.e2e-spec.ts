import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Socket } from 'socket.io-client';
import { v7 } from 'uuid';
import { mmdbOf } from '../../scripts/geo/mmdb.js';
import { socketProblemsOf } from '../../scripts/openapi/asyncapi.js';
import { createApi, describeApi } from '../../src/bootstrap.js';
import { RealityChecksService } from '../../src/modules/compliance/reality-checks/reality-checks.service.js';
import { OddsIntakeService } from '../../src/modules/sports/odds/odds-intake.service.js';
import type { OddsEvent } from '../../src/modules/sports/odds/odds.sockets.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { loadAppConfig } from '../../src/platform/config/load-config.js';
import { errorCatalogue } from '../../src/platform/http/domain-error.js';
import type { AsyncApiDocument } from '../../src/platform/realtime/asyncapi.js';
import { SocketsService, type UserSocket } from '../../src/platform/realtime/sockets.service.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { DocumentedSockets } from '../support/documented-sockets.js';
import { DpopClient } from '../support/dpop-client.js';
import { handedIn } from '../support/kyc.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';
import { withdraw } from '../support/withdrawals.js';

const CLOSED = '175.45.176.1';
const OPEN = '198.51.100.1';
const ODDS = '/odds';
const NOTIFICATIONS = '/notifications';
/** Where a client is that names none. */
const ROOT = '/';
/** Of a part of the system that is broken: tests of those have them come about. */
const NOT_SEEN = [ODDS, NOTIFICATIONS, ROOT].flatMap((namespace) => [
  `${namespace} refused INTERNAL_ERROR`,
  `${namespace} refused SERVICE_UNAVAILABLE`,
]);

describe('the AsyncAPI document', () => {
  let folder: string;
  let system: System;
  let make: Builders;
  let document: AsyncApiDocument;
  let sockets: DocumentedSockets;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parley-asyncapi-'));
    const places = join(folder, 'places.mmdb');
    const colorado = { country: { iso_code: 'US' }, subdivisions: [{ iso_code: 'CO' }] };
    writeFileSync(
      places,
      mmdbOf({ [`${OPEN}/32`]: colorado, [`${CLOSED}/32`]: { country: { iso_code: 'KP' } } }),
    );
    system = await startSystem({
      at: '2023-10-03T12:00:00Z',
      env: { TRUSTED_PROXIES: 'loopback', GEO_DATABASE: places },
    });
    make = new Builders(system);
    document = (await (await fetch(`${system.url}/docs/asyncapi.json`)).json()) as AsyncApiDocument;
    sockets = new DocumentedSockets(system.url, document);
  }, 60_000);
  afterAll(async () => {
    sockets.close();
    await system.stop();
    rmSync(folder, { recursive: true });
  });

  const player = async (): Promise<Client> => (await make.players(1))[0]!;
  const connected = async (namespace: string, { token }: Client, address = OPEN): Promise<Socket> => {
    const socket = await sockets.connect(namespace, { token }, { 'X-Forwarded-For': address });
    if (typeof socket === 'string') throw new Error(socket);
    return socket;
  };
  const served = ({ id }: Socket, namespace = ODDS): UserSocket<OddsEvent> =>
    system.app.get(SocketsService)['server']!.of(namespace).sockets.get(id!) as UserSocket<OddsEvent>;
  const hears = async (socket: Socket, event: string, act: () => Promise<unknown>) => {
    const heard = new Promise((resolve) => socket.once(event, resolve));
    await act();
    return await Promise.race([
      heard,
      new Promise((_, reject) => setTimeout(reject, 15_000, new Error(`${event} did not come`)).unref()),
    ]);
  };

  it('is valid AsyncAPI 3.0 by its own schema, complete, and its examples fit', () => {
    expect(socketProblemsOf(document, new Map(errorCatalogue()))).toEqual([]);
    const broken = structuredClone(document) as { operations: Record<string, { action: string }> };
    broken.operations['odds.subscribe']!.action = 'publish';
    expect(socketProblemsOf(broken as never, new Map(errorCatalogue()))).not.toEqual([]);
  });

  it('is served as the OpenAPI document is, and the same when no database is at hand', async () => {
    const headersOf = async (name: string) => {
      const { status, headers } = await fetch(`${system.url}/docs/${name}.json`);
      const told = [...headers.keys()].filter((key) => !/^(date|content-length|x-request-id)$/.test(key));
      return [status, headers.get('content-type'), headers.get('cache-control'), told];
    };
    expect(await headersOf('asyncapi')).toEqual(await headersOf('openapi'));
    const { asyncapi } = await describeApi(system.config);
    expect(JSON.parse(JSON.stringify(asyncapi))).toEqual(document);
    const openapi = (await (await fetch(`${system.url}/docs/openapi.json`)).json()) as {
      info: { description: string };
    };
    expect(openapi.info.description).toContain('/docs/asyncapi.json');
  });

  it('is not served when it is switched off', async () => {
    const app = await createApi(Object.assign(structuredClone(system.config), { DOCS_ENABLED: false }));
    await app.listen(0, '127.0.0.1');
    const { status } = await fetch(`${urlOf(app)}/docs/asyncapi.json`);
    await app.close();
    expect(status).toBe(404);
  });

  it('has all that is told of games, and how subscriptions are answered', async () => {
    const [client, admin] = [await player(), await make.admin()];
    const game = await make.game({ startsAt: '2023-10-03T12:10:00Z' });
    const socket = await connected(ODDS, client);
    const heard: string[] = [];
    socket.onAny((event: string) => heard.push(event));
    const first = await sockets.ask(socket, ODDS, 'subscribe', {
      games: [game.id],
      sport: 'american_football',
    });
    const { seq } = first.snapshots.find(({ id }: { id: string }) => id === game.id);
    const move = async (american: number) => {
      const price = {
        gameId: game.id,
        marketId: game.moneyline.id,
        outcome: 'home',
        american,
        decimal: null,
      };
      return await system.app.get(OddsIntakeService).take([price], []);
    };
    await hears(socket, 'odds:changed', () => move(170));
    const suspend = async ({ total }: typeof game) =>
      await admin.post(`admin/markets/${total.id}/suspend`, { reason: 'a test' });
    await hears(socket, 'market:status', () => suspend(game));
    const another = await make.game({ startsAt: '2023-10-04T17:00:00Z' });
    await hears(socket, 'odds:snapshot', () => suspend(another));
    const behind = await connected(ODDS, client);
    const { snapshots, changes } = await sockets.ask(behind, ODDS, 'subscribe', {
      games: [game.id],
      after: { [game.id]: seq },
    });
    expect([snapshots, changes.map(({ gameId }: { gameId: string }) => gameId)]).toEqual([[], [game.id]]);
    await system.moveTo('2023-10-03T12:10:01Z');
    await hears(socket, 'game:status', () => system.app.get(ResultsService).lockAtStart(game.id));
    const result = { status: 'final', homeScore: 21, awayScore: 17 };
    await hears(socket, 'game:status', () => admin.post(`admin/games/${game.id}/result`, result));
    expect(await sockets.ask(socket, ODDS, 'unsubscribe')).toBeNull();
    expect(await sockets.ask(socket, ODDS, 'unsubscribe', { league: 'NFL' })).toBeNull();
    expect(new Set(heard)).toEqual(
      new Set(['odds:changed', 'market:status', 'odds:snapshot', 'game:status']),
    );
    expect(sockets.wrong).toEqual([]);
  }, 60_000);

  it('has every code with which an ask is refused', async () => {
    const client = await player();
    const socket = await connected(ODDS, client);
    const refusal = async (event: string, body: unknown) => await sockets.ask(socket, ODDS, event, body);
    expect(await refusal('subscribe', { games: [v7()] })).toBe('GAME_NOT_FOUND');
    expect(await refusal('subscribe', { games: Array.from({ length: 301 }, () => v7()) })).toBe(
      'TOO_MANY_GAMES',
    );
    for (const event of ['subscribe', 'unsubscribe'])
      for (const body of [{ games: 'all' }, { sport: null }, { other: 1 }, [], 'x', null])
        expect([event, body, await refusal(event, body)]).toEqual([event, body, 'VALIDATION_FAILED']);
    // As when the address turns out to be elsewhere, and nobody has looked yet.
    served(socket).request.headers['x-forwarded-for'] = CLOSED;
    for (const event of ['subscribe', 'unsubscribe']) expect(await refusal(event, {})).toBe('GEO_BLOCKED');
    const ended = await hears(socket, 'session:ending', () => system.app.get(SocketsService).sweep());
    expect(ended).toEqual({ reason: 'GEO_BLOCKED' });
    const limited = await createApi(loadAppConfig({ ...system.env, RATE_LIMIT_FACTOR: '0.05' }));
    await limited.listen(0, '127.0.0.1');
    const { token } = await player();
    const asking = await sockets.connect(ODDS, { token }, { 'X-Forwarded-For': OPEN }, urlOf(limited));
    const codes: unknown[] = [];
    for (let count = 0; count < 8; count += 1)
      codes.push(await sockets.ask(asking as Socket, ODDS, 'unsubscribe', {}));
    codes.push(await sockets.ask(asking as Socket, ODDS, 'subscribe', {}));
    await limited.close();
    expect(codes.filter((code) => code !== null)).toEqual(Array(4).fill('RATE_LIMITED'));
    expect(sockets.wrong).toEqual([]);
  }, 60_000);

  it('has all that a user is told of themselves', async () => {
    const client = await player();
    const socket = await connected(NOTIFICATIONS, client);
    await hears(socket, 'wallet:updated', () => new Wallets(system).deposit(client, 50_000n));
    await hears(socket, 'withdrawal:updated', async () => withdraw(client));
    await hears(socket, 'kyc:updated', () => handedIn(client));
    const { rows } = await system.db.query<{ id: string }>(
      "UPDATE sessions SET checked_at = parley_now() - interval '61 minutes', check_minutes = 60 WHERE user_id = $1 RETURNING id",
      [client.userId],
    );
    await hears(socket, 'session:reality-check', () =>
      system.app.get(RealityChecksService).tell(rows[0]!.id),
    );
    const ended = await hears(socket, 'session:ending', () =>
      client.post('compliance/self-exclusion', { months: 12 }),
    );
    expect(ended).toEqual({ reason: 'SELF_EXCLUDED' });
    expect(sockets.wrong).toEqual([]);
  }, 60_000);

  it.each([ODDS, NOTIFICATIONS, ROOT])(
    'has every code with which %s refuses a socket',
    async (namespace) => {
      const refusal = async (auth: Record<string, unknown>, address = OPEN) => {
        const socket = await sockets.connect(namespace, auth, { 'X-Forwarded-For': address });
        return typeof socket === 'string' ? socket : 'connected';
      };
      const [here, excluded, ends] = (await make.players(3)) as [Client, Client, Client];
      expect(await refusal({})).toBe('UNAUTHENTICATED');
      expect(await refusal({ token: here.token }, CLOSED)).toBe('GEO_BLOCKED');
      await system.db.query(
        `INSERT INTO restrictions (id, user_id, kind, starts_at, ends_at)
       VALUES (gen_random_uuid(), $1, 'self_exclusion', parley_now() - interval '1 hour', parley_now() + interval '1 year')`,
        [excluded.userId],
      );
      expect(await refusal({ token: excluded.token })).toBe('SELF_EXCLUDED');
      const ending = await connected(namespace, ends);
      expect(await hears(ending, 'session:ending', () => ends.post('auth/logout'))).toEqual({
        reason: 'SESSION_ENDED',
      });
      expect(await refusal({ token: ends.token })).toBe('SESSION_ENDED');
      for (let count = 0; count < 10; count += 1) await connected(namespace, here);
      expect(await refusal({ token: here.token })).toBe('TOO_MANY_SOCKETS');
      const bound = await DpopClient.of(system);
      const account = {
        email: `bound${namespace.length}@example.com`,
        password: 'correct horse battery staple',
        handle: `bound${namespace.length}`,
        birthDate: '1990-12-10',
        termsVersion: '2026-11',
      };
      await bound.take(await bound.call('POST', 'auth/register', { body: account }));
      expect(await refusal({ token: bound.accessToken })).toBe('DPOP_PROOF_INVALID');
      const proof = await bound.proof('GET', '', { htu: `${system.url}/socket.io/` });
      expect(await refusal({ token: bound.accessToken, proof })).toBe('connected');
      await system.moveTo(new Date(system.now().getTime() + 16 * 60_000));
      expect(await refusal({ token: here.token })).toBe('TOKEN_EXPIRED');
      expect(sockets.wrong).toEqual([]);
    },
    60_000,
  );

  it('has nothing besides', () => {
    const broken = ['subscribe', 'unsubscribe'].flatMap((event) => [
      `${ODDS} ${event}.refusal INTERNAL_ERROR`,
      `${ODDS} ${event}.refusal SERVICE_UNAVAILABLE`,
    ]);
    expect(sockets.unseen()).toEqual([...NOT_SEEN, ...broken].toSorted());
  });

  it('is missed by an event that was not declared, which does not compile either', async () => {
    const socket = await connected(ODDS, await player());
    const onServer = served(socket);
    // @ts-expect-error: the compiler knows what was declared
    await hears(socket, 'odds:undeclared', async () => onServer.emit('odds:undeclared', {}));
    // Another namespace's.
    // @ts-expect-error: the compiler knows where
    await hears(socket, 'wallet:updated', async () => onServer.emit('wallet:updated', {}));
    onServer.emit('odds:changed', { prices: [] });
    onServer.emit('session:ending', { reason: 'SESSION_ENDED', more: 1 });
    await eventually(async () => sockets.wrong.length === 4);
    expect(sockets.wrong).toEqual([
      '/odds odds:undeclared is not in the document',
      '/odds wallet:updated is not in the document',
      expect.stringContaining("must have required property 'gameId'"),
      '/odds sessionEnding: data must NOT have additional properties',
    ]);
  });
});

function urlOf(app: NestExpressApplication): string {
  return `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
}
