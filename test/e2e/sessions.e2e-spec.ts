import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { SessionsService } from '../../src/modules/auth/sessions.service.js';
import { SessionCache } from '../../src/modules/auth/session-cache.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { RedisConnections } from '../../src/platform/redis/redis-connections.js';
import { PASSWORD } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { SignUps } from '../support/sign-ups.js';
import { eventually, startSystem, type System } from '../support/system.js';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0';
const NEWER_FIREFOX = FIREFOX.replaceAll('120.0', '121.0');
const outcome = ({ status, error }: Answer) => [status, error?.code ?? null];
const ENDED = [401, 'SESSION_ENDED'];

describe('sessions', () => {
  let system: System;
  let anyone: Client;
  let client: Client;
  let email: string;
  let accounts: SignUps;

  beforeAll(async () => {
    system = await startSystem({
      worker: false,
      at: '2023-10-03T12:00:00Z',
      env: { TRUSTED_PROXIES: 'loopback' },
    });
    anyone = new Client(system.url);
    accounts = new SignUps(system, 'user');
  });
  afterAll(async () => system.stop());

  beforeEach(async () => {
    const account = accounts.body();
    ({ email } = account);
    const headers = { 'User-Agent': FIREFOX, 'X-Forwarded-For': '203.0.113.77' };
    const { data } = await anyone.post('auth/register', account, { headers });
    client = new Client(system.url, data.accessToken, data.user.id);
  });

  async function signIn(headers: Record<string, string> = {}): Promise<Client> {
    const answer = await anyone.post('auth/login', { email, password: PASSWORD }, { headers });
    return new Client(system.url, answer.data.accessToken, answer.data.user.id);
  }
  const sid = ({ token }: Client) => String(decodeJwt(token!)['sid']);

  describe('are listed', () => {
    it('with device, network, proof and which one this is, the latest first', async () => {
      const phone = await signIn({
        'User-Agent': 'Parley/3.1 (iPhone)',
        'X-Forwarded-For': '2001:db8:1:2:3::4',
      });
      const { data } = await client.get('auth/sessions');
      const now = expect.stringMatching(/^2023-10-03T12:/);
      const common = { proof: 'password', bound: false, createdAt: now, lastUsedAt: now };
      expect(data).toEqual([
        {
          id: sid(phone),
          device: 'Parley on iPhone',
          place: '2001:db8:1::/48',
          current: false,
          expiresAt: expect.stringMatching(/^2023-10-10T12:/),
          ...common,
        },
        {
          id: sid(client),
          device: 'Firefox on Linux',
          place: '203.0.113.0/24',
          current: true,
          expiresAt: expect.stringMatching(/^2023-10-10T12:/),
          ...common,
        },
      ]);
    });

    it.each(['unknown', "'; DROP TABLE users; --", 'fe80::1%eth0', '::ffff:203.0.113.9', '999.1.1.1'])(
      'though a proxy names %j as the address',
      async (address) => {
        const other = await signIn({ 'X-Forwarded-For': address });
        const { data } = await other.get('auth/sessions?limit=1');
        const place = /203/.test(address)
          ? '203.0.113.0/24'
          : address.startsWith('fe80')
            ? 'fe80::/48'
            : null;
        expect(data[0].place).toBe(place);
      },
    );

    it('page by page, without those that have ended and those of others', async () => {
      const others = [await signIn(), await signIn(), await signIn()];
      await others[1]!.call('POST', 'auth/logout');
      const ids: string[] = [];
      let cursor = '';
      do {
        const { data, body } = await client.get(`auth/sessions?limit=2${cursor}`);
        ids.push(...data.map(({ id }: { id: string }) => id));
        const next = body.meta.pagination.nextCursor as string | null;
        cursor = next === null ? '' : `&cursor=${next}`;
      } while (cursor !== '');
      expect(ids).toEqual([sid(others[2]!), sid(others[0]!), sid(client)]);
    });
  });

  describe('are ended', () => {
    it('one by one, their own users only', async () => {
      const other = await signIn();
      expect((await other.get('auth/sessions')).status).toBe(200);
      const stranger = client;
      const { client: thief } = await accounts.open();
      const stolen = await thief.call('DELETE', `auth/sessions/${sid(other)}`);
      expect(outcome(stolen)).toEqual([404, 'SESSION_NOT_FOUND']);
      expect((await other.get('auth/sessions')).status).toBe(200);
      expect(outcome(await stranger.call('DELETE', `auth/sessions/${sid(other)}`))).toEqual([200, null]);
      expect(outcome(await other.get('auth/sessions'))).toEqual(ENDED);
      const again = await stranger.call('DELETE', `auth/sessions/${sid(other)}`);
      expect(outcome(again)).toEqual([404, 'SESSION_NOT_FOUND']);
    });

    it('by signing out and one by one, each once, which the audit log knows', async () => {
      const [left, ended] = [await signIn(), await signIn()];
      await left.call('POST', 'auth/logout');
      await client.call('DELETE', `auth/sessions/${sid(ended)}`);
      await client.call('DELETE', `auth/sessions/${sid(ended)}`);
      const { rows } = await system.db.query(
        `SELECT subject_id, actor_id, details->>'reason' AS reason FROM audit_log
         WHERE action = 'auth.session-ended' AND details->>'userId' = $1 ORDER BY id`,
        [client.userId],
      );
      expect(rows).toEqual([
        { subject_id: sid(left), actor_id: client.userId, reason: 'logout' },
        { subject_id: sid(ended), actor_id: client.userId, reason: 'ended_by_user' },
      ]);
    });

    it('all at once, this one too, which the audit log knows', async () => {
      const all = [client, await signIn(), await signIn()];
      for (const each of all) expect((await each.get('auth/sessions')).status).toBe(200);
      expect(outcome(await client.call('POST', 'auth/logout-all'))).toEqual([200, null]);
      for (const each of all) expect(outcome(await each.get('auth/sessions'))).toEqual(ENDED);
      const { rows } = await system.db.query(
        "SELECT actor_id, details FROM audit_log WHERE action = 'auth.sessions-ended' AND subject_id = $1",
        [client.userId],
      );
      expect(rows).toEqual([{ actor_id: client.userId, details: { sessions: 3 } }]);
    });

    it('all but one with a transaction, and not when it fails', async () => {
      const [kept, other] = [await signIn(), await signIn()];
      const [sessions, unitOfWork] = [system.app.get(SessionsService), system.app.get(UnitOfWork)];
      const failing = unitOfWork.run(async (manager) => {
        await sessions.endAll(manager, client.userId, 'role_changed');
        throw new Error('changed my mind');
      });
      await expect(failing).rejects.toThrow('changed my mind');
      for (const each of [client, kept, other]) expect((await each.get('auth/sessions')).status).toBe(200);
      const ended = await unitOfWork.run((manager) =>
        sessions.endAll(manager, client.userId, 'role_changed', sid(kept)),
      );
      expect(ended).toBe(2);
      await eventually(async () => outcome(await client.get('auth/sessions'))[1] === 'SESSION_ENDED');
      expect(outcome(await other.get('auth/sessions'))).toEqual(ENDED);
      expect((await kept.get('auth/sessions')).status).toBe(200);
    });

    it('and told to those who hold their sockets', async () => {
      const other = await signIn();
      const told: string[] = [];
      const subscriber = system.app.get(RedisConnections).cache.duplicate({ maxRetriesPerRequest: null });
      subscriber.on('message', (_channel, id: string) => told.push(id));
      await subscriber.subscribe(system.app.get(SessionCache).endedChannel);
      await client.call('POST', 'auth/logout-all');
      await eventually(async () => told.length >= 2);
      expect(new Set(told)).toEqual(new Set([sid(other), sid(client)]));
      subscriber.disconnect();
    });
  });

  describe('are announced', () => {
    const announced = async () => {
      const { rows } = await system.db.query(
        `SELECT payload->>'sessionId' AS id, payload->'newDevice' AS "newDevice" FROM outbox
         WHERE topic = 'auth.session-opened' AND payload->>'userId' = $1 ORDER BY id`,
        [client.userId],
      );
      return rows.map(({ newDevice }) => newDevice as boolean);
    };

    it('as of a new device when nothing like it was there before, the first one never', async () => {
      await signIn({ 'User-Agent': NEWER_FIREFOX, 'X-Forwarded-For': '203.0.113.9' });
      await signIn({ 'User-Agent': 'okhttp/4.9' });
      await signIn({ 'User-Agent': 'okhttp/5.0' });
      await signIn({ 'User-Agent': FIREFOX, 'X-Device-Fingerprint': 'one' });
      await signIn({ 'User-Agent': 'okhttp/4.9', 'X-Device-Fingerprint': 'one' });
      await signIn({ 'User-Agent': FIREFOX, 'X-Device-Fingerprint': 'two' });
      expect(await announced()).toEqual([false, false, true, false, true, false, true]);
    });

    it('as of a new device when one without a fingerprint calls itself what one with it is, or is elsewhere', async () => {
      const place = { 'X-Forwarded-For': '2001:db8:7:1::1' };
      const owner = { ...place, 'User-Agent': 'okhttp/4.9', 'X-Device-Fingerprint': 'owners-phone' };
      const thief = { ...place, 'User-Agent': 'okhttp/4.9' };
      await signIn(owner);
      await signIn(owner);
      await signIn(thief);
      await signIn({ ...thief, 'X-Forwarded-For': '2001:db8:7:2::1' });
      await signIn({ ...thief, 'X-Forwarded-For': '2001:db8:8::1' });
      await signIn({ 'User-Agent': FIREFOX, 'X-Forwarded-For': '203.0.114.77' });
      expect(await announced()).toEqual([false, true, false, true, false, true, true]);
    });

    it('as revoked when a refresh token comes twice, once', async () => {
      const { data } = await anyone.post('auth/login', { email, password: PASSWORD });
      const refresh = () => anyone.post('auth/refresh', { refreshToken: data.refreshToken });
      await refresh();
      await Promise.all([refresh(), refresh(), refresh()]);
      const { rows } = await system.db.query(
        "SELECT payload FROM outbox WHERE topic = 'auth.session-family-revoked' AND payload->>'userId' = $1",
        [client.userId],
      );
      expect(rows).toEqual([
        { payload: { userId: client.userId, sessionId: decodeJwt(data.accessToken)['sid'] } },
      ]);
    });
  });
});
