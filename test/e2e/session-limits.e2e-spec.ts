import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SessionsService } from '../../src/modules/auth/sessions.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { RedisConnections } from '../../src/platform/redis/redis-connections.js';
import { PASSWORD, Builders } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { SignUps } from '../support/sign-ups.js';
import { someone } from '../support/staff.js';
import { eventually, type System } from '../support/system.js';

const DAY = 86_400;
const MOST = 4;
const outcome = ({ status, error }: Answer) => [status, error?.code ?? null];
const ENDED = [401, 'SESSION_ENDED'];

describe('the sessions of one user', () => {
  let system: System;
  let anyone: Client;
  let accounts: SignUps;

  beforeAll(async () => {
    const auth = { accessTokenSeconds: DAY, refreshTokenSeconds: 7 * DAY, sessionsPerUser: MOST };
    system = await startSystemWithRules({ auth }, { worker: false, at: '2023-10-03T12:00:00Z' });
    anyone = new Client(system.url);
    accounts = new SignUps(system, 'limits');
  });
  afterAll(async () => system.stop());

  async function signIn(email: string): Promise<Client> {
    const { data } = await anyone.post('auth/login', { email, password: PASSWORD });
    return new Client(system.url, data.accessToken, data.user.id);
  }

  async function live(userId: string): Promise<number> {
    const { rows } = await system.db.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM sessions WHERE user_id = $1 AND ended_at IS NULL',
      [userId],
    );
    return rows[0]!.n;
  }

  const remaining = async (client: Client) =>
    Number((await client.get('users/me')).headers.get('ratelimit-remaining'));

  it('are so many at most: a further sign-in ends the oldest, and its refresh token', async () => {
    const { client: first, email, refreshToken } = await accounts.open();
    const clients = [first];
    for (let n = 1; n < MOST; n += 1) clients.push(await signIn(email));
    expect(outcome(await first.get('users/me'))).toEqual([200, null]);
    const last = await signIn(email);
    await eventually(async () => outcome(await first.get('users/me'))[0] === 401);
    expect(outcome(await first.get('users/me'))).toEqual(ENDED);
    expect((await anyone.post('auth/refresh', { refreshToken })).status).toBe(401);
    for (const client of [...clients.slice(1), last])
      expect(outcome(await client.get('users/me'))).toEqual([200, null]);
    const { rows } = await system.db.query('SELECT end_reason FROM sessions WHERE ended_at IS NOT NULL');
    expect(rows).toEqual([{ end_reason: 'too_many' }]);
    const audit = await system.db.query(
      "SELECT details->>'reason' AS reason FROM audit_log WHERE subject_id = $1 AND action = 'auth.sessions-ended'",
      [first.userId],
    );
    expect(audit.rows).toEqual([{ reason: 'too_many' }]);
  });

  it('are refused all of them, though one transaction ends them in two steps', async () => {
    const { client: first, email } = await accounts.open();
    const second = await signIn(email);
    for (const client of [first, second]) expect((await client.get('users/me')).status).toBe(200);
    const { rows } = await system.db.query<{ id: string }>(
      'SELECT id FROM sessions WHERE user_id = $1 ORDER BY id DESC LIMIT 1',
      [first.userId],
    );
    const sessions = system.app.get(SessionsService);
    await system.app.get(UnitOfWork).run(async (manager) => {
      await sessions.endAll(manager, first.userId, 'password_changed', rows[0]!.id);
      await sessions.endAll(manager, first.userId, 'logout');
    });
    for (const client of [first, second])
      await eventually(async () => outcome(await client.get('users/me'))[1] === 'SESSION_ENDED', 5000);
  });

  it('are so many at most when twelve sign in at once, and another user keeps theirs', async () => {
    const [{ client, email }, other] = [await accounts.open(), await accounts.open()];
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => anyone.post('auth/login', { email, password: PASSWORD })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
    expect(await live(client.userId)).toBe(MOST);
    expect(outcome(await other.client.get('users/me'))).toEqual([200, null]);
  });

  it('end within a second of a ban, though five thousand were open from before', async () => {
    const admin = await someone(system, new Builders(system), 'admin');
    const { client, email } = await accounts.open();
    await system.db.query(
      `INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at)
       SELECT gen_random_uuid(), $1, $2, $2, $2::timestamptz + interval '7 days' FROM generate_series(1, 5000)`,
      [client.userId, system.now()],
    );
    const banning = { body: { status: 'banned', reason: 'fraud' } };
    const began = performance.now();
    expect(outcome(await admin.call('PATCH', `admin/users/${client.userId}`, banning))).toEqual([200, null]);
    expect(performance.now() - began).toBeLessThan(1500);
    expect(await live(client.userId)).toBe(0);
    const { cache } = system.app.get(RedisConnections);
    await eventually(async () => {
      const { rows } = await system.db.query<{ id: string }>('SELECT id FROM sessions WHERE user_id = $1', [
        client.userId,
      ]);
      const keys = rows.map(({ id }) => `${system.config.REDIS_PREFIX}:session:${id}`);
      return (await cache.exists(...keys)) === 5001;
    }, 5000);
    expect(outcome(await client.get('users/me'))).toEqual(ENDED);
    expect(outcome(await anyone.post('auth/login', { email, password: PASSWORD }))).toEqual([403, 'BANNED']);
  });

  it('that have ended spend nothing of what their owner may ask', async () => {
    const { client: own, email } = await accounts.open();
    const stolen = await signIn(email);
    await stolen.post('auth/logout');
    const before = await remaining(own);
    const answers = await Promise.all(Array.from({ length: 30 }, () => stolen.get('users/me')));
    for (const answer of answers) expect(outcome(answer)).toEqual(ENDED);
    expect(await remaining(own)).toBe(before - 1);
  });
});
