import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort, portIsFree } from './ports.js';

const open: Server[] = [];

async function occupy(host: string): Promise<number> {
  const server = createServer();
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

afterEach(async () => {
  await Promise.all(
    open.splice(0).map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
  );
});

describe('portIsFree', () => {
  it('says no while a server listens, and yes after it has closed', async () => {
    const port = await occupy('127.0.0.1');
    expect(await portIsFree(port)).toBe(false);
    await new Promise<void>((resolve) => open.pop()?.close(() => resolve()));
    expect(await portIsFree(port)).toBe(true);
  });

  it('says no to a port that is held on all addresses', async () => {
    expect(await portIsFree(await occupy('0.0.0.0'))).toBe(false);
  });
});

describe('freePort', () => {
  it('takes the preferred port when it is free', async () => {
    const { port } = await freePort(0);
    expect(await freePort(port)).toEqual({ port, taken: false });
  });

  it('goes on to a higher free port and says so when the preferred one is in use', async () => {
    const preferred = await occupy('127.0.0.1');
    const found = await freePort(preferred);
    expect(found.taken).toBe(true);
    expect(found.port).not.toBe(preferred);
    expect(await portIsFree(found.port)).toBe(true);
  });

  it('finds any port for 0', async () => {
    const found = await freePort(0);
    expect(found.taken).toBe(false);
    expect(found.port).toBeGreaterThan(0);
  });
});
