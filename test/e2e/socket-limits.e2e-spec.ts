import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { SocketsService } from '../../src/platform/realtime/sockets.service.js';
import { PASSWORD } from '../support/builders.js';
import { Client } from '../support/client.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { eventually, type System } from '../support/system.js';

const DAY = 86_400;
const IDLE = 1800;
const SOCKETS = 10;
/** Requests of one address in a minute: 3,000, at the factor below. */
const FLOOD = 150;

describe('sockets, where idle sessions end', () => {
  let system: System;
  let count = 0;
  const open: Socket[] = [];

  beforeAll(async () => {
    const auth = {
      accessTokenSeconds: DAY,
      refreshTokenSeconds: 7 * DAY,
      idle: { seconds: IDLE, policy: 'end' },
    };
    system = await startSystemWithRules(
      { auth },
      {
        worker: false,
        at: '2023-10-03T12:00:00Z',
        env: { RATE_LIMIT_FACTOR: '0.05', TRUSTED_PROXIES: 'loopback' },
      },
    );
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.close();
  });
  afterAll(async () => system.stop());

  /** Each player comes from an address of their own. */
  async function player(): Promise<Client> {
    count += 1;
    const account = {
      email: `sockets${count}@example.com`,
      password: PASSWORD,
      handle: `sockets_${count}`,
      birthDate: '1990-12-10',
      termsVersion: '2026-11',
    };
    const { data } = await new Client(system.url).post('auth/register', account, {
      headers: { 'X-Forwarded-For': `198.51.100.${count}` },
    });
    return new Client(system.url, data.accessToken, data.user.id);
  }

  function connect({ token }: Client, address = '203.0.113.1'): Socket {
    const socket = io(`${system.url}/notifications`, {
      auth: { token },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      extraHeaders: { 'X-Forwarded-For': address },
    });
    open.push(socket);
    return socket;
  }

  async function outcome(socket: Socket): Promise<string> {
    return await new Promise((resolve) => {
      socket.once('connect', () => resolve('connected'));
      socket.once('connect_error', (error: Error & { data?: { code: string } }) =>
        resolve(error.data?.code ?? error.message),
      );
    });
  }

  const pass = async (seconds: number) => system.moveTo(new Date(system.now().getTime() + seconds * 1000));
  const sweep = async () => system.app.get(SocketsService).sweep();

  it('are dropped with their session once nobody has used it, for a socket is no use', async () => {
    const [idle, busy] = [await player(), await player()];
    const sockets = [connect(idle), connect(busy)];
    expect(await Promise.all(sockets.map(outcome))).toEqual(['connected', 'connected']);
    const told: unknown[] = [];
    sockets[0]!.on('session:ending', (payload) => told.push(payload));
    await pass(IDLE - 60);
    expect((await busy.get('users/me')).status).toBe(200);
    await pass(60 + 30);
    await sweep();
    expect(sockets.map(({ connected }) => connected)).toEqual([true, true]);
    await pass(60);
    await sweep();
    await eventually(async () => !sockets[0]!.connected, 2000);
    expect(told).toEqual([{ reason: 'SESSION_ENDED' }]);
    expect(sockets[1]!.connected).toBe(true);
    const { rows } = await system.db.query('SELECT end_reason FROM sessions WHERE user_id = $1', [
      idle.userId,
    ]);
    expect(rows).toEqual([{ end_reason: 'idle' }]);
    expect(await outcome(connect(idle))).toBe('SESSION_ENDED');
  });

  it('are not opened by an idle session, which ends', async () => {
    const idle = await player();
    await pass(IDLE + 1);
    expect(await outcome(connect(idle))).toBe('SESSION_ENDED');
  });

  it('of one session are ten at most, also when thirty come at once', async () => {
    const [one, other] = [await player(), await player()];
    const sockets = Array.from({ length: 30 }, () => connect(one));
    const outcomes = await Promise.all(sockets.map(outcome));
    expect(outcomes.toSorted()).toEqual([
      ...Array.from({ length: 30 - SOCKETS }, () => 'TOO_MANY_SOCKETS'),
      ...Array.from({ length: SOCKETS }, () => 'connected'),
    ]);
    expect(await outcome(connect(other))).toBe('connected');
    sockets.find(({ connected }) => connected)!.close();
    await eventually(async () => (await outcome(connect(one))) === 'connected', 2000);
    expect(await outcome(connect(one))).toBe('TOO_MANY_SOCKETS');
  });

  it('are asked for by one address so often and no oftener, and the others do not feel it', async () => {
    const client = await player();
    const flooding = '203.0.113.9';
    const answers = await Promise.all(Array.from({ length: FLOOD + 20 }, () => upgrade(flooding)));
    expect(answers.filter((answer) => answer.includes('RATE_LIMITED'))).toHaveLength(20);
    expect(await outcome(connect(client, flooding))).toBe('websocket error');
    expect(await outcome(connect(client, '203.0.113.10'))).toBe('connected');
  });

  /** A bare handshake: `101`, or what is answered in its place. */
  async function upgrade(address: string): Promise<string> {
    return await new Promise((resolve, reject) => {
      const asked = request(`${system.url}/socket.io/?EIO=4&transport=websocket`, {
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': Buffer.alloc(16, 1).toString('base64'),
          'X-Forwarded-For': address,
        },
      });
      asked.on('upgrade', (_, socket) => {
        socket.destroy();
        resolve('101');
      });
      asked.on('response', (answer) => {
        let body = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        answer.on('end', () => resolve(`${answer.statusCode} ${body}`));
      });
      asked.on('error', reject);
      asked.end();
    });
  }
});
