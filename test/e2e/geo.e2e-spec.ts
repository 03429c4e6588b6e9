import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { io } from 'socket.io-client';
import { mmdbOf } from '../../scripts/geo/mmdb.js';
import { createApi } from '../../src/bootstrap.js';
import { loadAppConfig } from '../../src/platform/config/load-config.js';
import { PlacesService } from '../../src/platform/geo/places.service.js';
import { Builders } from '../support/builders.js';
import { SeenRequests } from '../support/seen-requests.js';
import { eventually, startSystem, type System } from '../support/system.js';

const [NEVADA, ONTARIO] = ['198.51.100.7', '203.0.113.7'];
const inNevada = { country: { iso_code: 'US' }, subdivisions: [{ iso_code: 'NV' }] };
const inOntario = { country_code: 'CA', state1: 'Ontario' };
const NETWORKS = { '198.51.100.0/24': inNevada, '203.0.113.0/24': inOntario };
const [US, CA, HERE] = [
  { country: 'US', region: 'NV', anonymous: false },
  { country: 'CA', region: 'ON', anonymous: false },
  { country: 'US', region: 'AZ', anonymous: false },
];

describe('places at the API', () => {
  let system: System;
  let folder: string;
  const apis: NestExpressApplication[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parley-geo-'));
    system = await startSystem({ worker: false });
  });
  afterAll(async () => {
    for (const api of apis) await api.close();
    await system.stop();
    rmSync(folder, { recursive: true });
  });

  async function start(env: Record<string, string>) {
    const app = await createApi(loadAppConfig({ ...system.env, GEO_LOCAL_PLACE: 'US-AZ', ...env }));
    apis.push(app);
    await app.listen(0, '127.0.0.1');
    const url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
    return { app, url, seen: new SeenRequests(app) };
  }

  function write(name: string, networks: Parameters<typeof mmdbOf>[0]): string {
    const file = join(folder, name);
    writeFileSync(`${file}.new`, mmdbOf(networks));
    renameSync(`${file}.new`, file);
    return file;
  }

  it('are not those of X-Forwarded-For where no proxy is trusted', async () => {
    const { url, seen } = await start({ GEO_DATABASE: write('untrusted', NETWORKS) });
    await fetch(`${url}/api/v1/nothing`, {
      headers: { 'X-Forwarded-For': ONTARIO, Forwarded: `for=${ONTARIO}` },
    });
    expect(seen.place).toEqual(HERE);
  });

  it('are those of X-Forwarded-For behind trusted proxies, as far as these go', async () => {
    const env = { GEO_DATABASE: write('trusted', NETWORKS), TRUSTED_PROXIES: 'loopback,192.0.2.0/24' };
    const { url, seen } = await start(env);
    const from = async (forwarded: string) => {
      await fetch(`${url}/api/v1/nothing`, { headers: { 'X-Forwarded-For': forwarded } });
      return seen.place;
    };
    expect(await from(NEVADA)).toEqual(US);
    expect(await from(`${ONTARIO}, ${NEVADA}`)).toEqual(US); // the first is what the client says of itself
    expect(await from(`${ONTARIO}, 192.0.2.1`)).toEqual(CA);
    expect((await from('10.0.0.1, garbage')).country).toBe(null);
    expect((await from('garbage')).country).toBe(null);
  });

  it('are those of the handshake for a socket, and of the new database once that has come', async () => {
    const file = write('sockets', NETWORKS);
    const { app, url, seen } = await start({ GEO_DATABASE: file, TRUSTED_PROXIES: 'loopback' });
    const [player] = await new Builders(system).players(1);
    const socket = io(`${url}/notifications`, {
      auth: { token: player!.token },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      extraHeaders: { 'X-Forwarded-For': NEVADA },
    });
    try {
      await new Promise((resolve, reject) =>
        socket.once('connect', () => resolve(null)).once('connect_error', reject),
      );
      expect(seen.place).toEqual(US);
      let told = 0;
      app.get(PlacesService).onReload(() => (told += 1));
      write('sockets', { '198.51.100.0/24': inOntario });
      await app.get(PlacesService).refresh();
      expect([seen.place, told]).toEqual([CA, 1]);
    } finally {
      socket.close();
    }
  });

  it('cannot be told without a database: such a process is not ready, and is once there is one', async () => {
    const { url } = await start({ GEO_DATABASE: join(folder, 'late') });
    const ready = async () => await fetch(`${url}/health/ready`);
    const refused = await ready();
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({
      error: { code: 'SERVICE_UNAVAILABLE', details: { part: 'places' } },
    });
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    write('late', NETWORKS);
    await eventually(async () => (await ready()).status === 200, 10_000);
  });
});
