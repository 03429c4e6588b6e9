import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { SessionsService } from '../../src/modules/auth/sessions.service.js';
import { SessionCache } from '../../src/modules/auth/session-cache.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { RedisConnections } from '../../src/platform/redis/redis-connections.js';
import { Builders, PASSWORD } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { eventually, JWT_PRIVATE_KEY, startSystem, type System } from '../support/system.js';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0';
const NEWER_FIREFOX = FIREFOX.replaceAll('120.0', '121.0');
const outcome = ({ status, error }: Answer) => [status, error?.code ?? null];
const ENDED = [401, 'SESSION_ENDED'];

describe('sessions', () => {
  let system: System;
  let anyone: Client;
  let client: Client;
  let email: string;
  let count = 0;

  beforeAll(async () => {
    system = await startSystem({
      worker: false,
      at: '2023-10-03T12:00:00Z',
      env: { TRUSTED_PROXIES: 'loopback' },
    });
    anyone = new Client(system.url);
  });
  afterAll(async () => system.stop());

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
      count += 1;
      const account = {
        email: `s${count}@example.com`,
        password: PASSWORD,
        handle: `user_${count}`,
        birthDate: '1990-12-10',
        termsVersion: '2026-11',
      };
      const { data } = await anyone.post('auth/register', account);
      const thief = new Client(system.url, data.accessToken);
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

describe('the keys of access tokens', () => {
  const keyOf = (type: 'ed25519' | 'P-256') =>
    type === 'P-256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const pem = (key: ReturnType<typeof keyOf>['privateKey']) =>
    key.export({ type: 'pkcs8', format: 'pem' }).toString();

  it.each(['P-256', 'ed25519'] as const)(
    'may be changed for one of %s while sessions live on',
    async (type) => {
      const before = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
      const next = keyOf(type);
      const env = { ...before.env, JWT_PRIVATE_KEY: pem(next.privateKey), JWT_RETIRED_KEYS: JWT_PRIVATE_KEY };
      const after = await startSystem({ worker: false, env });
      try {
        const [player] = await new Builders(before).players(1);
        const old = new Client(after.url, player!.token, player!.userId);
        expect((await old.get('auth/sessions')).status).toBe(200);
        const published = await fetch(`${after.url}/.well-known/jwks.json`);
        const { keys } = (await published.json()) as { keys: Record<string, unknown>[] };
        expect([
          published.status,
          published.headers.get('content-type'),
          published.headers.get('cache-control'),
        ]).toEqual([200, expect.stringContaining('application/jwk-set+json'), 'public, max-age=300']);
        expect(keys.map(({ alg, use, d }) => [alg, use, d])).toEqual([
          [type === 'P-256' ? 'ES256' : 'EdDSA', 'sig', undefined],
          ['EdDSA', 'sig', undefined],
        ]);
        const account = {
          email: 'new@example.com',
          password: PASSWORD,
          handle: 'newcomer',
          birthDate: '1990-12-10',
          termsVersion: '2026-11',
        };
        const { data } = await new Client(after.url).post('auth/register', account);
        expect(decodeProtectedHeader(data.accessToken)).toEqual({
          alg: keys[0]!['alg'],
          kid: keys[0]!['kid'],
          typ: 'at+jwt',
        });
        const verified = await jwtVerify(
          data.accessToken,
          createRemoteJWKSet(new URL(`${after.url}/.well-known/jwks.json`)),
          { currentDate: after.now(), issuer: 'parley' },
        );
        expect(verified.payload).toMatchObject({
          sub: data.user.id,
          role: 'user',
          permissions: [],
          sid: expect.any(String),
        });
        const renewed = await new Client(after.url, data.accessToken).get('auth/sessions');
        expect(renewed.status).toBe(200);
        // The process that was not told of the new key does not take it.
        const early = await new Client(before.url, data.accessToken).get('auth/sessions');
        expect(outcome(early)).toEqual([401, 'UNAUTHENTICATED']);
      } finally {
        await after.stop();
        await before.stop();
      }
    },
  );

  it('are known by their kid: another, none or a swapped one is refused, and so is the algorithm of another', async () => {
    const [ec, stranger] = [keyOf('P-256'), keyOf('ed25519')];
    const system = await startSystem({ worker: false, env: { JWT_RETIRED_KEYS: pem(ec.privateKey) } });
    try {
      const [player] = await new Builders(system).players(1);
      const claims = decodeJwt(player!.token!);
      const { kid } = decodeProtectedHeader(player!.token!);
      const { keys } = (await (await fetch(`${system.url}/.well-known/jwks.json`)).json()) as {
        keys: { kid: string }[];
      };
      const ecKid = keys[1]!.kid;
      expect([keys.length, keys[0]!.kid]).toEqual([2, kid]);
      const status = async (header: object, key: typeof ec.privateKey) => {
        const token = await new SignJWT(claims)
          .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', ...header })
          .sign(key);
        return outcome(await new Client(system.url, token).get('auth/sessions'))[1];
      };
      expect(await status({ alg: 'ES256', kid: ecKid }, ec.privateKey)).toBeNull();
      for (const [header, key] of [
        [{ kid }, stranger.privateKey],
        [{ kid: 'unknown' }, stranger.privateKey],
        [{}, stranger.privateKey],
        [{ kid: ecKid }, stranger.privateKey],
        [{ alg: 'ES256', kid }, ec.privateKey],
        [{ alg: 'ES256' }, ec.privateKey],
        [{ kid: '__proto__' }, stranger.privateKey],
        [{ kid, typ: 'JWT' }, stranger.privateKey],
        [{ kid, jku: `${system.url}/.well-known/jwks.json` }, stranger.privateKey],
        [{ kid, jwk: stranger.publicKey.export({ format: 'jwk' }) }, stranger.privateKey],
      ] as const)
        expect([header, await status(header, key)]).toEqual([header, 'UNAUTHENTICATED']);
    } finally {
      await system.stop();
    }
  });
});
