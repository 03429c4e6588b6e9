import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DpopClient } from '../support/dpop-client.js';
import { PASSWORD } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const outcome = ({ status, error }: Answer) => [status, error?.code ?? null];
const ENDED = [401, 'SESSION_ENDED'];

endProcessesAfterAll();

/** The System's API and one in a process of its own, which is cut off from Redis at will. */
describe('what one API process ends', () => {
  let system: System;
  let redis: TcpProxy;
  let first: { url: string };
  let second: TestProcess;
  let email: string;
  let count = 0;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    redis = await TcpProxy.to(system.config.REDIS_URL);
    first = system;
    second = await TestProcess.start('api', { ...system.env, REDIS_URL: redis.url });
    await second.ready();
  }, 60_000);
  afterAll(async () => {
    await second.kill('SIGKILL');
    await system.stop();
    redis.close();
  });

  beforeEach(async () => {
    count += 1;
    email = `user${count}@example.com`;
    const account = {
      email,
      password: PASSWORD,
      handle: `user_${count}`,
      birthDate: '1990-12-10',
      termsVersion: '2026-11',
    };
    await new Client(first.url).post('auth/register', account);
  });

  /** A session, and its client at each process; both have seen it. */
  async function signIn(): Promise<{ one: Client; two: Client }> {
    const { data } = await new Client(first.url).post('auth/login', { email, password: PASSWORD });
    const [one, two] = [first, second].map(({ url }) => new Client(url, data.accessToken, data.user.id));
    for (const each of [one!, two!]) expect((await each.get('auth/sessions')).status).toBe(200);
    return { one: one!, two: two! };
  }

  async function msUntilRefused(client: Client): Promise<number> {
    const since = performance.now();
    await eventually(async () => outcome(await client.get('auth/sessions'))[1] === 'SESSION_ENDED', 5000);
    return performance.now() - since;
  }

  it('by signing out is refused by the other from the next request on', async () => {
    for (let n = 0; n < 5; n += 1) {
      const { one, two } = await signIn();
      expect((await one.call('POST', 'auth/logout')).status).toBe(200);
      expect(outcome(await two.get('auth/sessions'))).toEqual(ENDED);
    }
  });

  it('by signing out of all is refused by the other from the next request on', async () => {
    const sessions = [await signIn(), await signIn(), await signIn()];
    await sessions[0]!.one.call('POST', 'auth/logout-all');
    for (const { two } of sessions) expect(outcome(await two.get('auth/sessions'))).toEqual(ENDED);
  });

  it('with a changed password is refused by the other within a second', async () => {
    const [mine, theirs] = [await signIn(), await signIn()];
    const body = { currentPassword: PASSWORD, newPassword: 'another correct horse' };
    expect((await mine.one.post('auth/password/change', body)).status).toBe(200);
    expect(await msUntilRefused(theirs.two)).toBeLessThan(1000);
    expect((await mine.two.get('auth/sessions')).status).toBe(200);
  });

  it('with a refresh token that came twice is refused by the other', async () => {
    const { data } = await new Client(first.url).post('auth/login', { email, password: PASSWORD });
    const two = new Client(second.url, data.accessToken);
    expect((await two.get('auth/sessions')).status).toBe(200);
    for (let n = 0; n < 2; n += 1)
      await new Client(first.url).post('auth/refresh', { refreshToken: data.refreshToken });
    expect(outcome(await two.get('auth/sessions'))).toEqual(ENDED);
  });

  it('in a proof of possession is used up for the other', async () => {
    const client = await DpopClient.of(system);
    await client.take(await client.call('POST', 'auth/login', { body: { email, password: PASSWORD } }));
    const htu = `${second.url}/api/v1/auth/sessions`;
    const proof = await client.proof('GET', '', { htu });
    const headers = {
      Authorization: `DPoP ${client.accessToken}`,
      DPoP: proof,
      Host: new URL(second.url).host,
    };
    const ask = async (url: string) => outcome(await rawGet(url, headers));
    expect(await ask(second.url)).toEqual([200, null]);
    expect(await ask(first.url)).toEqual([401, 'DPOP_PROOF_INVALID']);
  });

  it('is refused by a process that has lost Redis, and by one to which Redis has returned', async () => {
    const [before, during] = [await signIn(), await signIn()];
    redis.cut();
    try {
      await eventually(async () => (await before.two.get('auth/sessions')).status === 200);
      await before.one.call('POST', 'auth/logout');
      expect(outcome(await before.two.get('auth/sessions'))).toEqual(ENDED);
      expect((await during.two.call('POST', 'auth/logout')).status).toBe(200);
      expect(outcome(await during.two.get('auth/sessions'))).toEqual(ENDED);
    } finally {
      await redis.restore();
    }
    // The second process could tell nobody; it does so as soon as it is heard.
    await eventually(
      async () => outcome(await during.one.get('auth/sessions'))[1] === 'SESSION_ENDED',
      10_000,
    );
    for (const { one, two } of [before, during])
      expect([outcome(await one.get('auth/sessions')), outcome(await two.get('auth/sessions'))]).toEqual([
        ENDED,
        ENDED,
      ]);
  });

  it('and what it lets be: how long a session was left alone is known to both', async () => {
    let { data } = await new Client(first.url).post('auth/login', { email, password: PASSWORD });
    const pass = async (minutes: number) => {
      await system.moveTo(new Date(system.now().getTime() + minutes * 60_000));
      await eventually(async () => {
        const times = await Promise.all([first, second].map(({ url }) => new Client(url).get('clock')));
        return times.every((time) => Math.abs(Date.parse(time.data.now) - system.now().getTime()) < 5000);
      });
      ({ data } = await new Client(first.url).post('auth/refresh', { refreshToken: data.refreshToken }));
    };
    const writeAt = async ({ url }: { url: string }) => {
      const body = { seconds: 1800 };
      return outcome(await new Client(url, data.accessToken).call('PUT', 'auth/idle-timeout', { body }));
    };
    for (const process of [first, second, first]) {
      await pass(20);
      expect(await writeAt(process)).toEqual([200, null]);
    }
    await pass(31);
    expect(await writeAt(second)).toEqual([403, 'REAUTHENTICATION_REQUIRED']);
    await new Client(first.url, data.accessToken).post('auth/reauthenticate', { password: PASSWORD });
    expect(await writeAt(second)).toEqual([200, null]);
  });
});

/** fetch sets its own Host. */
async function rawGet(url: string, headers: Record<string, string>): Promise<Answer> {
  const { request } = await import('node:http');
  return await new Promise((resolve, reject) => {
    const call = request(`${url}/api/v1/auth/sessions`, { headers }, (response) => {
      let text = '';
      response.on('data', (part) => (text += String(part)));
      response.on('end', () => {
        const body = JSON.parse(text) as { error?: Answer['error'] };
        resolve({ status: response.statusCode, error: body.error } as Answer);
      });
    });
    call.on('error', reject).end();
  });
}
