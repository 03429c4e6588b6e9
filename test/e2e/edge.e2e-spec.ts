import { once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { io, type Socket } from 'socket.io-client';
import { createApi } from '../../src/bootstrap.js';
import { withdrawalUpdated } from '../../src/modules/payments/withdrawals/withdrawals.sockets.js';
import { loadAppConfig } from '../../src/platform/config/load-config.js';
import { NOWHERE } from '../../src/platform/geo/place.js';
import { SocketsService } from '../../src/platform/realtime/sockets.service.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { Edge, type EdgeCaller, headersOf, setting } from '../support/edge.js';
import { LoopbackServer } from '../support/loopback-server.js';
import { SeenRequests } from '../support/seen-requests.js';
import { startSystem, type System } from '../support/system.js';

const SECRET = 'a-secret-of-at-least-32-characters';
const APP = 'https://app.example.com';
const NEVADA: EdgeCaller = { country: 'US', regionCode: 'NV', asn: 7018 };
const [ADDRESS, OTHER] = ['198.51.100.7', '203.0.113.7'];
const HEADER = 'x-parley-place';

/** An origin that sends browsers elsewhere. */
class Redirecting extends LoopbackServer {
  protected override serve(_: IncomingMessage, response: ServerResponse): Promise<unknown> {
    response.writeHead(302, { Location: 'https://accounts.example.com/', 'Set-Cookie': 'a=1' }).end();
    return Promise.resolve();
  }
}

interface AskOptions {
  method?: string;
  body?: string;
  headers?: Record<string, string>;
  at?: Edge;
  ip?: string;
}

describe('the edge', () => {
  let system: System;
  let api: NestExpressApplication;
  let origin: string;
  let seen: SeenRequests;
  let edge: Edge;
  let player: Client;
  const edges: Edge[] = [];
  const sockets: Socket[] = [];

  beforeAll(async () => {
    system = await startSystem({ worker: false });
    api = await createApi(
      loadAppConfig({ ...system.env, GEO_EDGE_SECRET: SECRET, TRUSTED_PROXIES: 'loopback' }),
    );
    await api.listen(0, '127.0.0.1');
    origin = `http://127.0.0.1:${(api.getHttpServer().address() as AddressInfo).port}`;
    seen = new SeenRequests(api);
    edge = await start();
    player = (await new Builders(system).players(1))[0]!;
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });
  afterAll(async () => {
    for (const each of edges) await each.stop();
    await api.close();
    await system.stop();
  });

  async function start(variables: Record<string, string | undefined> = {}, caller = NEVADA): Promise<Edge> {
    const all = {
      GEO_EDGE_SECRET: SECRET,
      RESTRICTED: 'CU,IR,US-WA,DE',
      CORS_ORIGINS: APP,
      ANONYMOUS_NETWORKS: 'AS16509,14061',
      ORIGIN: origin,
      ...variables,
    };
    const given = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined);
    const started = await Edge.start(Object.fromEntries(given), caller);
    edges.push(started);
    return started;
  }

  /** Asks as somebody there, with a session; `at` another edge than the usual one. */
  async function ask(caller: EdgeCaller, path = '/api/v1/users/me', options: AskOptions = {}) {
    const { at = edge, ip = ADDRESS, headers, ...rest } = options;
    const before = seen.count;
    const response = await fetch(`${at.url}${path}`, {
      redirect: 'manual',
      ...rest,
      headers: { Authorization: `Bearer ${player.token}`, ...headersOf(caller, ip), ...headers },
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text.startsWith('{') ? JSON.parse(text) : text,
      passed: seen.count > before,
    };
  }

  describe('before the origin', () => {
    it('tells it where people are, and their address', async () => {
      const answer = await ask(NEVADA);
      expect([answer.status, answer.body.data.id]).toEqual([200, player.userId]);
      expect(seen.place).toEqual({ country: 'US', region: 'NV', anonymous: false });
      expect(seen.last.ip).toBe(ADDRESS);
      await ask({ country: 'CA', regionCode: 'ON' }, undefined, { ip: '2001:DB8:0::7' });
      expect(seen.place).toEqual({ country: 'CA', region: 'ON', anonymous: false });
      await ask({ country: 'GB' });
      expect(seen.place).toEqual({ country: 'GB', region: null, anonymous: false });
    });

    it.each<[string, EdgeCaller, string]>([
      ['a restricted country', { country: 'CU' }, 'The place is closed.'],
      ['a restricted region', { country: 'US', regionCode: 'WA' }, 'The place is closed.'],
      [
        'an unknown region where one is restricted',
        { country: 'US' },
        'Nobody can tell where the caller is.',
      ],
      ['an unknown country', { country: 'XX' }, 'Nobody can tell where the caller is.'],
      ['a country that is none', { country: 'us' }, 'Nobody can tell where the caller is.'],
      ['nowhere', {}, 'Nobody can tell where the caller is.'],
      ['Tor', { country: 'T1' }, 'The caller hides where they are.'],
      ['a hoster', { ...NEVADA, asn: 16_509 }, 'The caller hides where they are.'],
      ['another hoster', { ...NEVADA, asn: 14_061 }, 'The caller hides where they are.'],
    ])('refuses %s, in the words of the API', async (_, caller, reason) => {
      const { status, headers, body, passed } = await ask(caller);
      expect([status, passed]).toEqual([451, false]);
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      expect(body).toEqual({
        success: false,
        error: {
          code: 'GEO_BLOCKED',
          message: expect.any(String),
          details: {
            reason,
            country: ['CU', 'US'].includes(caller.country ?? '') ? caller.country : null,
            region: caller.regionCode ?? null,
            product: null,
          },
          requestId: headers.get('x-request-id'),
        },
      });
    });

    it('refuses all methods, each answer with an id of its own', async () => {
      const ids = new Set<string | null>();
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const { status, headers, passed } = await ask({ country: 'IR' }, undefined, { method });
        expect([method, status, passed]).toEqual([method, 451, false]);
        ids.add(headers.get('x-request-id'));
      }
      expect(ids.size).toBe(7);
    });

    it('knows the European Union', async () => {
      const at = await start({ RESTRICTED: 'EU' });
      expect((await ask({ country: 'FR', isEUCountry: '1' }, undefined, { at })).status).toBe(451);
      await ask({ country: 'CH' }, undefined, { at });
      expect(seen.place.country).toBe('CH');
    });

    it('passes on unknown and hidden places only when it is told to, and marks them', async () => {
      const at = await start({ UNKNOWN: 'pass', ANONYMOUS: 'pass' });
      for (const [caller, place] of [
        [{ country: 'XX' }, { country: null, region: null, anonymous: false }],
        [{ country: 'US' }, { country: 'US', region: null, anonymous: false }],
        [{ country: 'T1' }, { country: null, region: null, anonymous: true }],
        [
          { ...NEVADA, asn: 16_509 },
          { country: 'US', region: 'NV', anonymous: true },
        ],
      ] as const) {
        expect((await ask(caller, undefined, { at })).passed).toBe(true);
        expect(seen.place).toEqual(place);
      }
      expect((await ask({ country: 'CU' }, undefined, { at })).status).toBe(451);
      const misspelt = await start({ UNKNOWN: 'passed', ANONYMOUS: 'Pass' });
      for (const country of ['XX', 'T1'])
        expect((await ask({ country }, undefined, { at: misspelt })).status).toBe(451);
    });

    it('passes requests on as they are', async () => {
      const body = JSON.stringify({ email: 'nobody@example.com', password: 'wrong' });
      const headers = { 'Content-Type': 'application/json', 'X-Request-Id': 'mine-1' };
      const answer = await ask(NEVADA, '/api/v1/auth/login?a=1', { method: 'POST', body, headers });
      expect([answer.status, answer.headers.get('x-request-id')]).toEqual([401, 'mine-1']);
      expect([seen.last.method, seen.last.url]).toEqual(['POST', '/api/v1/auth/login?a=1']);
    });

    it('leaves redirects to the client', async () => {
      const redirecting = await new Redirecting().start();
      try {
        const { status, headers } = await ask(NEVADA, '/x', { at: await start({ ORIGIN: redirecting.url }) });
        expect([status, headers.get('location'), headers.get('set-cookie')]).toEqual([
          302,
          'https://accounts.example.com/',
          'a=1',
        ]);
      } finally {
        await redirecting.stop();
      }
    });

    it("lets the product's pages read why, and no others", async () => {
      const cuba = { country: 'CU' };
      const from = (Origin: string, method = 'GET', more = {}) =>
        ask(cuba, undefined, { method, headers: { Origin, ...more } });
      const answer = await from(APP);
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([451, APP]);
      expect((await from('https://evil.example.com')).headers.get('access-control-allow-origin')).toBe(null);
      const asking = {
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization',
      };
      const preflight = await from(APP, 'OPTIONS', asking);
      expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
        204,
        'authorization',
      ]);
      expect((await from('https://evil.example.com', 'OPTIONS', asking)).status).toBe(451);
    });
  });

  describe('does not let clients say where they are', () => {
    it('by headers of their own', async () => {
      await ask(NEVADA);
      const theirs = seen.last.headers[HEADER] as string;
      for (const name of ['X-Parley-Place', 'x-parley-place', 'X-PARLEY-PLACE']) {
        const forged = theirs.replace('c=US', 'c=CA');
        await ask({ country: 'GB' }, undefined, { headers: { [name]: forged, 'X-Forwarded-For': OTHER } });
        expect([seen.place.country, seen.last.ip]).toEqual(['GB', ADDRESS]);
        expect(seen.last.headers['x-forwarded-for']).toBe(ADDRESS);
      }
    });

    it('nor past it: who comes to the origin by another way is nowhere', async () => {
      await ask(NEVADA);
      const stolen = seen.last.headers[HEADER] as string;
      const past = async (headers: Record<string, string>) => {
        await fetch(`${origin}/api/v1/users/me`, { headers });
        return seen.place;
      };
      const here = { 'X-Forwarded-For': ADDRESS };
      expect(await past({})).toEqual(NOWHERE);
      expect(await past(here)).toEqual(NOWHERE);
      expect(await past({ [HEADER]: stolen })).toEqual(NOWHERE);
      expect(await past({ [HEADER]: stolen, 'X-Forwarded-For': OTHER })).toEqual(NOWHERE);
      expect(await past({ [HEADER]: stolen.replace('r=NV', 'r=NY'), ...here })).toEqual(NOWHERE);
      expect(await past({ [HEADER]: `${stolen}, ${stolen}`, ...here })).toEqual(NOWHERE);
    });

    it('nor by an edge with another secret', async () => {
      const at = await start({ GEO_EDGE_SECRET: `${SECRET}!` });
      expect((await ask(NEVADA, undefined, { at })).passed).toBe(true);
      expect(seen.place.country).toBe(null);
    });
  });

  describe('lets machines in from everywhere', () => {
    it.each([
      ['POST', '/api/v1/payments/webhooks/stripe'],
      ['POST', '/api/v1/compliance/kyc/webhooks/stripe-identity'],
      ['GET', '/.well-known/jwks.json'],
      ['GET', '/health/live'],
      ['GET', '/health/ready'],
    ])('%s %s', async (method, path) => {
      for (const caller of [{ country: 'CU' }, { country: 'T1' }, {}]) {
        const { status, passed } = await ask(caller, path, { method, headers: { 'X-Parley-Place': 'CA' } });
        expect([passed, status === 451]).toEqual([true, false]);
        expect([seen.last.url, seen.last.headers[HEADER]]).toEqual([path, undefined]);
      }
    });

    it.each([
      '/api/v1/payments/webhooks/../../users/me',
      '/api/v1/payments/webhooks/%2e%2e/%2e%2e/users/me',
      '/api/v1/payments/webhooks/..%2f..%2fusers/me',
      '/api/v1/payments/webhooks/stripe/../../../bets',
      '/api/v1/payments/webhooks/',
      '/api/v1/payments/webhooks',
      '/API/V1/payments/webhooks/stripe',
      '//health/live',
      '/health/live/x',
      '/health',
      '/healthy',
      '/metrics',
      '/docs',
    ])('but not %s', async (path) => {
      const before = seen.count;
      // As it is: fetch would take the dots out.
      const request = get(edge.url, { path, headers: headersOf({ country: 'CU' }, ADDRESS) });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.resume();
      expect([response.statusCode, seen.count]).toEqual([451, before]);
    });
  });

  describe('is closed', () => {
    it.each<[string, Record<string, string | undefined>]>([
      ['by its switch', { KILL_SWITCH: 'closed' }],
      ['by a word that its switch does not know', { KILL_SWITCH: 'open' }],
      ['without a secret', { GEO_EDGE_SECRET: undefined }],
      ['with a secret that is too short', { GEO_EDGE_SECRET: 'short' }],
      ['when nobody has said what is restricted', { RESTRICTED: undefined }],
      ['when what is restricted is misspelt', { RESTRICTED: 'CU,Iran' }],
      ['when a network is misspelt', { ANONYMOUS_NETWORKS: 'amazon' }],
    ])('%s, to people and machines', async (_, variables) => {
      const at = await start(variables);
      for (const path of ['/api/v1/users/me', '/api/v1/payments/webhooks/stripe', '/health/live']) {
        const { status, headers, body, passed } = await ask(NEVADA, path, { at });
        expect([status, passed, body.error.code]).toEqual([503, false, 'SERVICE_UNAVAILABLE']);
        expect([headers.get('retry-after'), headers.get('cache-control')]).toEqual(['60', 'no-store']);
      }
    });

    it('not by the settings that it comes with', async () => {
      const names = [
        'RESTRICTED',
        'UNKNOWN',
        'ANONYMOUS',
        'ANONYMOUS_NETWORKS',
        'KILL_SWITCH',
        'CORS_ORIGINS',
      ];
      const at = await start(Object.fromEntries(names.map((name) => [name, setting(name)])));
      expect((await ask(NEVADA, undefined, { at })).status).toBe(200);
      expect((await ask({ country: 'KP' }, undefined, { at })).status).toBe(451);
    });
  });

  describe('passes WebSockets', () => {
    function connect(caller: EdgeCaller, more: Record<string, string> = {}): Socket {
      const socket = io(`${edge.url}/notifications`, {
        auth: { token: player.token },
        transports: ['websocket'],
        reconnection: false,
        forceNew: true,
        extraHeaders: { ...headersOf(caller, ADDRESS), ...more },
      });
      sockets.push(socket);
      return socket;
    }

    async function outcome(socket: Socket): Promise<string> {
      return await new Promise((resolve) => {
        socket.once('connect', () => resolve('connected'));
        socket.once('connect_error', ({ message }: Error) => resolve(message));
      });
    }

    it('with the place of the handshake, both ways', async () => {
      const socket = connect(NEVADA, { 'X-Parley-Place': 'CA' });
      expect(await outcome(socket)).toBe('connected');
      expect(seen.place).toEqual({ country: 'US', region: 'NV', anonymous: false });
      const heard = new Promise((resolve) => socket.once(withdrawalUpdated.name, resolve));
      const payload = { id: player.userId, status: 'paid' } as const;
      await api.get(SocketsService).tell({ userId: player.userId, event: withdrawalUpdated, payload });
      expect(await heard).toEqual(payload);
    });

    it('from nowhere that is restricted', async () => {
      const before = seen.count;
      for (const caller of [{ country: 'CU' }, { country: 'T1' }, {}])
        expect(await outcome(connect(caller))).toBe('websocket error');
      expect(seen.count).toBe(before);
    });
  });
});
