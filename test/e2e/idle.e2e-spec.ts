import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionActivity } from '../../src/modules/auth/sessions/session-activity.js';
import { RedisConnections } from '../../src/platform/redis/redis-connections.js';
import { PASSWORD } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { SignUps } from '../support/sign-ups.js';
import { eventually, type System } from '../support/system.js';

const AT = '2023-10-03T12:00:00Z';
const IDLE = 1800;
const outcome = ({ status, error }: Answer) => [status, error?.code ?? null];
const REFUSED = [403, 'REAUTHENTICATION_REQUIRED'];
const ENDED = [401, 'SESSION_ENDED'];

let system: System;
let anyone: Client;
let client: Client;
let refreshToken: string;
let email: string;
let accounts: SignUps;

async function start(policy: 'reauthenticate' | 'end'): Promise<void> {
  const idle = { seconds: IDLE, policy };
  system = await startSystemWithRules(
    { auth: { accessTokenSeconds: 400 * 86_400, refreshTokenSeconds: 400 * 86_400, idle } },
    { worker: false, at: AT },
  );
  anyone = new Client(system.url);
  accounts = new SignUps(system, 'idle');
}

async function signUp(): Promise<void> {
  ({ email, client, refreshToken } = await accounts.open());
}

async function signInAgain(): Promise<Client> {
  const { data } = await anyone.post('auth/login', { email, password: PASSWORD });
  return new Client(system.url, data.accessToken, data.user.id);
}

const pass = async (seconds: number) => system.moveTo(new Date(system.now().getTime() + seconds * 1000));
/** Asks in a new session when it is almost idle; anew if the machine was so slow that by the answer it may have been. */
async function askJustBefore<Answered>(ask: () => Promise<Answered>): Promise<Answered> {
  for (;;) {
    await signUp();
    const { rows } = await system.db.query<{ at: Date }>(
      'SELECT last_used_at AS at FROM sessions WHERE user_id = $1',
      [client.userId],
    );
    const opened = rows[0]!.at.getTime();
    await system.moveTo(new Date(opened + (IDLE - 2) * 1000));
    const answer = await ask();
    if (system.now().getTime() - opened <= IDLE * 1000) return answer;
  }
}

const write = async (by = client) =>
  outcome(await by.call('PUT', 'auth/idle-timeout', { body: { seconds: IDLE } }));
const read = async (by = client) => outcome(await by.get('auth/sessions'));
const loseRedis = async () => {
  const { cache } = system.app.get(RedisConnections);
  const keys = await cache.keys(`${system.config.REDIS_PREFIX}:session:*`);
  if (keys.length > 0) await cache.del(keys);
};

describe('an idle session, where the user may prove themselves again', () => {
  beforeAll(async () => start('reauthenticate'));
  afterAll(async () => system.stop());
  beforeEach(signUp);

  it('may read and not write, from the second after half an hour on', async () => {
    expect(await askJustBefore(write)).toEqual([200, null]);
    await pass(IDLE + 2);
    expect(await write()).toEqual(REFUSED);
    expect(await read()).toEqual([200, null]);
    // Reading is no proof: it stays as it is.
    expect(await write()).toEqual(REFUSED);
  });

  it('is kept awake by whatever the user does, reading too', async () => {
    for (let n = 0; n < 4; n += 1) {
      await pass(IDLE - 60);
      expect(await read()).toEqual([200, null]);
    }
    expect(await write()).toEqual([200, null]);
  });

  it('is not kept awake by refreshes, nor by what clients ask for by themselves', async () => {
    for (let n = 0; n < 3; n += 1) {
      await pass(IDLE / 2);
      ({ refreshToken } = (await anyone.post('auth/refresh', { refreshToken })).data);
      expect((await client.get('auth/idle-timeout')).status).toBe(200);
    }
    expect(await write()).toEqual(REFUSED);
  });

  it('lets its user sign out, end sessions and accept the terms', async () => {
    const other = await signInAgain();
    const { data } = await other.get('auth/sessions');
    await pass(IDLE + 1);
    expect(outcome(await client.post('auth/terms', { version: '2026-11' }))).toEqual([200, null]);
    const mine = data.find((session: { current: boolean }) => session.current);
    expect(outcome(await client.call('DELETE', `auth/sessions/${mine.id}`))).toEqual([200, null]);
    expect(await read(other)).toEqual(ENDED);
    expect(outcome(await client.call('POST', 'auth/logout'))).toEqual([200, null]);
  });

  it('may do everything once the password was given again, and the wrong one opens nothing', async () => {
    await pass(IDLE + 1);
    const wrong = await client.post('auth/reauthenticate', { password: 'not the password' });
    expect(outcome(wrong)).toEqual([403, 'PASSWORD_WRONG']);
    expect(await write()).toEqual(REFUSED);
    expect(outcome(await client.post('auth/reauthenticate', { password: PASSWORD }))).toEqual([200, null]);
    expect(await write()).toEqual([200, null]);
  });

  it("does not open another's session", async () => {
    const other = await signInAgain();
    await pass(IDLE + 1);
    await client.post('auth/reauthenticate', { password: PASSWORD });
    expect(await write(other)).toEqual(REFUSED);
  });

  it('is told by Postgres when Redis has lost it, and awake one as well', async () => {
    await pass(IDLE - 60);
    expect(await write()).toEqual([200, null]);
    await system.app.get(SessionActivity).flush();
    await pass(IDLE - 60);
    await loseRedis();
    expect(await write()).toEqual([200, null]);
    await system.app.get(SessionActivity).flush();
    await pass(IDLE + 1);
    await loseRedis();
    expect(await read()).toEqual([200, null]);
    expect(await write()).toEqual(REFUSED);
  });

  it('is not refused by an old activity that a Redis has kept which was away', async () => {
    expect(await write()).toEqual([200, null]);
    await system.db.query('UPDATE sessions SET last_used_at = $2 WHERE user_id = $1', [
      client.userId,
      new Date(system.now().getTime() + IDLE * 1000),
    ]);
    await pass(IDLE + 10);
    expect(await write()).toEqual([200, null]);
  });

  it('writes its activity down once, however much there was', async () => {
    await system.app.get(SessionActivity).flush();
    const before = await written();
    await pass(60);
    await Promise.all(Array.from({ length: 20 }, () => client.get('auth/sessions')));
    expect(await written()).toEqual(before);
    await system.app.get(SessionActivity).flush();
    const [after] = await written();
    expect(after!.at.getTime() - before[0]!.at.getTime()).toBeGreaterThanOrEqual(59_000);
  });

  const written = async () => {
    const { rows } = await system.db.query<{ at: Date }>(
      'SELECT last_used_at AS at FROM sessions WHERE user_id = $1',
      [client.userId],
    );
    return rows;
  };

  describe('of who wants less', () => {
    const choose = async (seconds: number) => client.call('PUT', 'auth/idle-timeout', { body: { seconds } });

    it('is idle sooner, in all of their sessions, wherever it was kept', async () => {
      const other = await signInAgain();
      expect(await read(other)).toEqual([200, null]);
      const chosen = await choose(120);
      expect(chosen.data).toEqual({ seconds: 120, max: IDLE, policy: 'reauthenticate' });
      await pass(100);
      expect([await write(), await read(other)]).toEqual([
        [200, null],
        [200, null],
      ]);
      expect((await choose(120)).status).toBe(200);
      await pass(125);
      expect([await write(), await write(other)]).toEqual([REFUSED, REFUSED]);
      expect(await write(await signInAgain())).toEqual([200, null]);
    });

    it('is not idle later than the operator says', async () => {
      const longer = await choose(IDLE + 1);
      expect([outcome(longer), longer.error.details]).toEqual([
        [422, 'IDLE_TIMEOUT_TOO_LONG'],
        { field: 'seconds', max: IDLE },
      ]);
      for (const seconds of [59, 0, -1, 1.5, 86_401])
        expect(outcome(await choose(seconds))).toEqual([400, 'VALIDATION_FAILED']);
      expect((await client.get('auth/idle-timeout')).data.seconds).toBe(IDLE);
    });
  });
});

describe('an idle session, where it ends', () => {
  beforeAll(async () => start('end'));
  afterAll(async () => system.stop());
  beforeEach(signUp);

  const reason = async () =>
    (await system.db.query('SELECT end_reason FROM sessions WHERE user_id = $1', [client.userId])).rows[0]
      .end_reason;

  it('is ended by the first request, whatever it is, and by no refresh revived', async () => {
    expect(await askJustBefore(read)).toEqual([200, null]);
    await pass(IDLE + 2);
    expect(await read()).toEqual(ENDED);
    expect(await reason()).toBe('idle');
    expect(await write()).toEqual(ENDED);
    expect(outcome(await client.post('auth/reauthenticate', { password: PASSWORD }))).toEqual(ENDED);
    expect(outcome(await anyone.post('auth/refresh', { refreshToken }))).toEqual([
      401,
      'REFRESH_TOKEN_INVALID',
    ]);
  });

  it('is ended by a refresh that comes first', async () => {
    await pass(IDLE + 62);
    expect(outcome(await anyone.post('auth/refresh', { refreshToken }))).toEqual([
      401,
      'REFRESH_TOKEN_INVALID',
    ]);
    expect([await reason(), await read()]).toEqual(['idle', ENDED]);
  });

  it('lives on while it is used, though it is refreshed as well', async () => {
    for (let n = 0; n < 3; n += 1) {
      await pass(IDLE - 100);
      ({ refreshToken } = (await anyone.post('auth/refresh', { refreshToken })).data);
      expect(await read()).toEqual([200, null]);
      await system.app.get(SessionActivity).flush();
    }
  });

  it('is ended once by twenty requests at once', async () => {
    await pass(IDLE + 2);
    const answers = await Promise.all(Array.from({ length: 20 }, () => read()));
    expect(new Set(answers.map(String))).toEqual(new Set([String(ENDED)]));
    await eventually(async () => (await reason()) === 'idle');
    const { rows } = await system.db.query(
      "SELECT actor_id, details FROM audit_log WHERE action = 'auth.session-ended' AND details->>'userId' = $1",
      [client.userId],
    );
    expect(rows).toEqual([{ actor_id: null, details: { reason: 'idle', userId: client.userId } }]);
  });
});
