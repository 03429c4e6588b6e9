import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { io, type Socket } from 'socket.io-client';
import { createApi } from '../../src/bootstrap.js';
import { Lifecycle } from '../../src/platform/observability/lifecycle.js';
import { Builders, PASSWORD } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { DpopClient } from '../support/dpop-client.js';
import { eventually, startSystem, type System } from '../support/system.js';

describe('sockets', () => {
  let system: System;
  let second: NestExpressApplication;
  let secondUrl: string;
  let make: Builders;
  const open: Socket[] = [];

  beforeAll(async () => {
    system = await startSystem({
      worker: false,
      at: '2023-10-03T12:00:00Z',
      env: { CORS_ORIGINS: 'https://app.example.com' },
    });
    second = await createApi(system.config);
    await second.listen(0, '127.0.0.1');
    secondUrl = `http://127.0.0.1:${(second.getHttpServer().address() as AddressInfo).port}`;
    make = new Builders(system);
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.close();
  });
  afterAll(async () => {
    await second.close();
    await system.stop();
  });

  function connect(url: string, auth: object, options: object = {}): Socket {
    const socket = io(`${url}/notifications`, {
      auth,
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      ...options,
    });
    open.push(socket);
    return socket;
  }

  /** `connected`, or the code with which the server refuses. */
  async function outcome(socket: Socket): Promise<string> {
    return await new Promise((resolve) => {
      socket.once('connect', () => resolve('connected'));
      socket.once('connect_error', (error: Error & { data?: { code: string } }) =>
        resolve(error.data?.code ?? error.message),
      );
    });
  }

  async function player(): Promise<Client> {
    return (await make.players(1))[0]!;
  }

  it('are open to whoever has a live session', async () => {
    const { token } = await player();
    expect(await outcome(connect(system.url, { token }))).toBe('connected');
  });

  it('are closed to everybody else, and to every namespace', async () => {
    const { token } = await player();
    const ended = await player();
    await ended.post('auth/logout');
    expect(await outcome(connect(system.url, {}))).toBe('UNAUTHENTICATED');
    expect(await outcome(connect(system.url, { token: ['x'] }))).toBe('UNAUTHENTICATED');
    expect(await outcome(connect(system.url, { token: 'a.b.c' }))).toBe('UNAUTHENTICATED');
    expect(await outcome(connect(system.url, { token: `${token}x` }))).toBe('UNAUTHENTICATED');
    expect(await outcome(connect(system.url, { token: ended.token }))).toBe('SESSION_ENDED');
    const main = io(system.url, { transports: ['websocket'], reconnection: false, forceNew: true });
    open.push(main);
    expect(await outcome(main)).toBe('UNAUTHENTICATED');
  });

  it('are refused to pages of strange origins, and over anything but WebSocket', async () => {
    const { token } = await player();
    const from = (origin: string) =>
      outcome(connect(system.url, { token }, { extraHeaders: { Origin: origin } }));
    expect(await from('https://app.example.com')).toBe('connected');
    expect(await from('https://evil.example.com')).toBe('websocket error');
    expect(await outcome(connect(system.url, { token }, { transports: ['polling'] }))).toBe('xhr poll error');
  });

  it('are dropped in every process within a second of the end of their session, and no other', async () => {
    const [one, other] = [await player(), await player()];
    const sockets = [connect(system.url, { token: one.token }), connect(secondUrl, { token: one.token })];
    const staying = connect(secondUrl, { token: other.token });
    const all = [...sockets, staying];
    expect(await Promise.all(all.map(outcome))).toEqual(all.map(() => 'connected'));
    const told: unknown[] = [];
    for (const socket of sockets) socket.on('session:ending', (payload) => told.push(payload));
    const began = performance.now();
    await one.post('auth/logout');
    await eventually(async () => sockets.every(({ connected }) => !connected), 5000);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(told).toEqual([{ reason: 'SESSION_ENDED' }, { reason: 'SESSION_ENDED' }]);
    expect(staying.connected).toBe(true);
  });

  it('outlive the access token, and are not opened by one that has expired', async () => {
    const { token } = await player();
    const socket = connect(system.url, { token });
    expect(await outcome(socket)).toBe('connected');
    await system.moveTo(new Date(system.now().getTime() + 16 * 60_000));
    expect(await outcome(connect(system.url, { token }))).toBe('TOKEN_EXPIRED');
    expect(socket.connected).toBe(true);
  });

  it('of a session that is bound to a key are opened by its proof only, once', async () => {
    const bound = await DpopClient.of(system);
    const account = {
      email: 'bound@example.com',
      password: PASSWORD,
      handle: 'bound',
      birthDate: '1990-12-10',
      termsVersion: '2026-11',
    };
    await bound.take(await bound.call('POST', 'auth/register', { body: account }));
    const token = bound.accessToken;
    const htu = `${system.url}/socket.io/`;
    const proof = await bound.proof('GET', '', { htu });
    expect(await outcome(connect(system.url, { token }))).toBe('DPOP_PROOF_INVALID');
    expect(await outcome(connect(system.url, { token, proof }))).toBe('connected');
    expect(await outcome(connect(system.url, { token, proof }))).toBe('DPOP_PROOF_INVALID');
    const { key } = await DpopClient.of(system);
    const foreign = await bound.proof('GET', '', { htu, key });
    expect(await outcome(connect(system.url, { token, proof: foreign }))).toBe('UNAUTHENTICATED');
  });

  it('are closed when the process begins to stop', async () => {
    const third = await createApi(system.config);
    await third.listen(0, '127.0.0.1');
    const url = `http://127.0.0.1:${(third.getHttpServer().address() as AddressInfo).port}`;
    const { token } = await player();
    const socket = connect(url, { token });
    expect(await outcome(socket)).toBe('connected');
    third.get(Lifecycle).stop();
    await eventually(async () => !socket.connected, 2000);
    await third.close();
  });
});
