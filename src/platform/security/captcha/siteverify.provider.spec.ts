import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SiteverifyProvider } from './siteverify.provider.js';

describe('a provider of CAPTCHAs', () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  async function listening(listener: RequestListener): Promise<SiteverifyProvider> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    return new SiteverifyProvider('test', `http://127.0.0.1:${port}/`, 'secret', 100);
  }

  it('is not waited for without end, whether it says nothing or goes on and on', async () => {
    const silent = await listening(() => undefined);
    await expect(silent.accepts('token', '')).rejects.toThrow(/timeout/);
    const slow = await listening((_, response) => void response.write('{"success":'));
    await expect(slow.accepts('token', '')).rejects.toThrow(/timeout/);
  });

  it('that is not there accepts nothing', async () => {
    const gone = new SiteverifyProvider('test', 'http://127.0.0.1:1/', 'secret', 1000);
    await expect(gone.accepts('token', '')).rejects.toThrow();
  });

  it('is told no address when none is known', async () => {
    const bodies: string[] = [];
    const provider = await listening((request, response) => {
      request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
      request.on('end', () => response.end('{"success":true}'));
    });
    await expect(provider.accepts('a&b=c', '')).resolves.toBe(true);
    expect(bodies).toEqual(['secret=secret&response=a%26b%3Dc']);
  });
});
