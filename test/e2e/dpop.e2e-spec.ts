import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generateKeyPair } from 'dpop';
import { decodeJwt, SignJWT } from 'jose';
import { PASSWORD } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { DpopClient, type Lie } from '../support/dpop-client.js';
import { startSystem, type System } from '../support/system.js';

const outcome = ({ status, error }: Answer) => [status, error?.code ?? null, error?.details['problem']];
const REFUSED = (problem: string) => [401, 'DPOP_PROOF_INVALID', problem];

describe('sessions that are bound to a key', () => {
  let system: System;
  let anyone: Client;
  let client: DpopClient;
  let email: string;
  let count = 0;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    anyone = new Client(system.url);
  });
  afterAll(async () => system.stop());

  beforeEach(async () => {
    count += 1;
    email = `bound${count}@example.com`;
    client = await DpopClient.of(system);
    await client.take(await client.call('POST', 'auth/register', { body: account() }));
  });

  const account = () => ({
    email,
    password: PASSWORD,
    handle: `bound_${count}`,
    birthDate: '1990-12-10',
    termsVersion: '2026-11',
  });
  const nowSeconds = () => Math.floor(system.now().getTime() / 1000);

  it.each(['ES256', 'Ed25519'] as const)('are opened by whoever shows a key of %s', async (algorithm) => {
    const other = await DpopClient.of(system, algorithm);
    const signedIn = await other.call('POST', 'auth/login', { body: { email, password: PASSWORD } });
    await other.take(signedIn);
    expect(decodeJwt(other.accessToken)['cnf']).toEqual({ jkt: await other.thumbprint() });
    expect((await other.call('GET', 'users/me')).status).not.toBe(401);
    const { data } = await other.call('GET', 'auth/sessions');
    expect(data.map((session: { bound: boolean }) => session.bound)).toEqual([true, true]);
  });

  it('take no key whose algorithm is not one of ours', async () => {
    const rsa = await DpopClient.of(system, 'RS256');
    const answer = await rsa.call('POST', 'auth/login', { body: { email, password: PASSWORD } });
    expect(outcome(answer)).toEqual(REFUSED('not a proof'));
  });

  it('let nobody in by the token alone, whatever it is called', async () => {
    const bearer = await anyone.get('auth/sessions', { token: client.accessToken });
    expect(outcome(bearer)).toEqual([401, 'UNAUTHENTICATED', 'key']);
    const withProof = await client.call('GET', 'auth/sessions', { scheme: 'Bearer' });
    expect(outcome(withProof)).toEqual([401, 'UNAUTHENTICATED', 'key']);
    expect(outcome(await client.call('GET', 'auth/sessions', { proof: null }))).toEqual(REFUSED('missing'));
  });

  it('and those that are not bound do not mix', async () => {
    const { data } = await anyone.post('auth/login', { email, password: PASSWORD });
    client.accessToken = data.accessToken;
    expect(outcome(await client.call('GET', 'auth/sessions'))).toEqual([401, 'UNAUTHENTICATED', 'key']);
    expect((await client.call('GET', 'auth/sessions', { scheme: 'Bearer' })).status).toBe(200);
  });

  it('let a proof count once, of twenty at once as well', async () => {
    const proof = await client.proof('GET', 'auth/sessions');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client.call('GET', 'auth/sessions', { proof })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status !== 200).map(outcome)).toEqual(
      Array(19).fill(REFUSED('used before')),
    );
    expect(outcome(await client.call('GET', 'auth/sessions', { proof }))).toEqual(REFUSED('used before'));
  });

  it('refuse what was proved for another request, time, token or key', async () => {
    const other = await generateKeyPair('ES256');
    const lies: [Lie, (string | number)[]][] = [
      [{ htm: 'POST' }, REFUSED('htm')],
      [{ htm: 'get' }, REFUSED('htm')],
      [{ htu: `${system.url}/api/v1/auth/logout` }, REFUSED('htu')],
      [{ htu: 'https://evil.example.com/api/v1/auth/sessions' }, REFUSED('htu')],
      [{ htu: system.url.replace('http:', 'https:') }, REFUSED('htu')],
      [{ htu: 'auth/sessions' }, REFUSED('htu')],
      [{ token: null }, REFUSED('ath')],
      [{ token: `${client.accessToken}x` }, REFUSED('ath')],
      [{ iat: nowSeconds() - 62 }, REFUSED('iat')],
      [{ iat: nowSeconds() + 62 }, REFUSED('iat')],
      [{ key: other }, [401, 'UNAUTHENTICATED', 'key']],
    ];
    for (const [lie, expected] of lies) {
      const proof = await client.proof('GET', 'auth/sessions', lie);
      expect([lie, outcome(await client.call('GET', 'auth/sessions', { proof }))]).toEqual([lie, expected]);
    }
  });

  it('compare the address without its query, and in its normal form', async () => {
    const htu = `${system.url.replace('http', 'HTTP')}/api/v1/x/../auth/sessions?limit=1#here`;
    const proof = await client.proof('GET', 'auth/sessions', { htu });
    expect((await client.call('GET', 'auth/sessions?limit=5', { proof })).status).toBe(200);
  });

  it('refuse proofs that are forged, of another type, without what they need or with a private key', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const [jwk, secret] = await Promise.all(
      [publicKey, privateKey].map((key) => crypto.subtle.exportKey('jwk', key)),
    );
    const claims = {
      jti: 'one',
      htm: 'POST',
      htu: `${system.url}/api/v1/auth/login`,
      iat: nowSeconds(),
    };
    const sign = (payload: object, header: object) =>
      new SignJWT({ ...payload })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: jwk!, ...header })
        .sign(privateKey);
    const good = await sign(claims, {});
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const cases: [string, string][] = [
      ['not a proof', await sign(claims, { typ: 'JWT' })],
      ['not a proof', await sign(claims, { jwk: secret! })],
      ['not a proof', await sign(claims, { jwk: undefined })],
      ['not a proof', `${good.slice(0, -4)}AAAA`],
      ['not a proof', `${encode({ alg: 'none', typ: 'dpop+jwt', jwk })}.${encode(claims)}.`],
      ['not a proof', 'x'],
      ['not a proof', `${good}, ${good}`],
      ['too long', `${good}${'x'.repeat(4096)}`],
      ['jti', await sign({ ...claims, jti: undefined }, {})],
      ['jti', await sign({ ...claims, jti: '' }, {})],
      ['jti', await sign({ ...claims, jti: 'x'.repeat(513) }, {})],
      ['jti', await sign({ ...claims, jti: 7 as never }, {})],
      ['htu', await sign({ ...claims, htu: undefined }, {})],
      ['iat', await sign({ ...claims, iat: undefined }, {})],
    ];
    const login = async (proof: string) =>
      await anyone.post('auth/login', { email, password: PASSWORD }, { headers: { DPoP: proof } });
    for (const [problem, proof] of cases) expect(outcome(await login(proof))).toEqual(REFUSED(problem));
    expect((await login(good)).status).toBe(200);
    expect(outcome(await login(good))).toEqual(REFUSED('used before'));
  });

  describe('refreshing', () => {
    const tokensOf = ({ data }: Answer) => data as { accessToken: string; refreshToken: string };
    const rows = async (table: string) => (await system.db.query(`SELECT * FROM ${table}`)).rows;

    it('ask for the key, and without it use nothing up', async () => {
      const { refreshToken } = client;
      const none = await anyone.post('auth/refresh', { refreshToken });
      expect(outcome(none)).toEqual(REFUSED('missing'));
      const thief = await DpopClient.of(system);
      expect(outcome(await thief.refresh(refreshToken))).toEqual(REFUSED('another key'));
      expect((await client.refresh(refreshToken)).status).toBe(200);
    });

    it('tell a lost answer again for ten seconds, to the byte', async () => {
      const { refreshToken } = client;
      const first = await client.refresh(refreshToken);
      await system.moveTo(new Date(system.now().getTime() + 8000));
      const second = await client.refresh(refreshToken);
      expect(second.headers.get('idempotent-replayed')).toBe('true');
      expect(second.body).toEqual(first.body);
      await client.take(second);
      expect((await client.call('GET', 'auth/sessions')).status).toBe(200);
      const third = await client.refresh();
      expect([third.status, tokensOf(third).refreshToken === tokensOf(first).refreshToken]).toEqual([
        200,
        false,
      ]);
    });

    it('give twenty who ask at once one pair', async () => {
      const { refreshToken } = client;
      const answers = await Promise.all(Array.from({ length: 20 }, () => client.refresh(refreshToken)));
      expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
      expect(answers[0]!.status).toBe(200);
    });

    it.each<[string, number, (client: DpopClient, used: string) => Promise<Answer>]>([
      ['ten seconds later', 10_500, (self, used) => self.refresh(used)],
      ['by another key', 1000, async (_, used) => (await DpopClient.of(system)).refresh(used)],
      ['by no key', 1000, (_, used) => anyone.post('auth/refresh', { refreshToken: used })],
    ])('end the session when a used token comes %s', async (_, ms, again) => {
      const used = client.refreshToken;
      await client.take(await client.refresh(used));
      await system.moveTo(new Date(system.now().getTime() + ms));
      expect(outcome(await again(client, used)).slice(0, 2)).toEqual([401, 'REFRESH_TOKEN_INVALID']);
      expect(outcome(await client.call('GET', 'auth/sessions')).slice(0, 2)).toEqual([401, 'SESSION_ENDED']);
    });

    it('end the session when the token before the last comes, the last answer being used', async () => {
      const used = client.refreshToken;
      await client.take(await client.refresh(used));
      await client.take(await client.refresh());
      expect(outcome(await client.refresh(used)).slice(0, 2)).toEqual([401, 'REFRESH_TOKEN_INVALID']);
      expect(outcome(await client.refresh()).slice(0, 2)).toEqual([401, 'REFRESH_TOKEN_INVALID']);
    });

    it('tell nothing again to a session that has ended', async () => {
      const used = client.refreshToken;
      await client.take(await client.refresh(used));
      await client.call('POST', 'auth/logout');
      expect(outcome(await client.refresh(used)).slice(0, 2)).toEqual([401, 'REFRESH_TOKEN_INVALID']);
    });

    it('keep no token that could be read', async () => {
      const used = client.refreshToken;
      await client.take(await client.refresh(used));
      const stored = (
        await Promise.all(['refresh_answers', 'refresh_tokens', 'sessions', 'outbox'].map(rows))
      ).flat();
      const text = stored
        .map(
          (row) =>
            JSON.stringify(row) +
            Object.values(row)
              .filter(Buffer.isBuffer)
              .map((b) => b.toString('latin1'))
              .join(),
        )
        .join();
      for (const token of [used, client.refreshToken, client.accessToken]) {
        expect(text).not.toContain(token);
        expect(text).not.toContain(token.split('.').at(-1));
      }
      expect(text.length).toBeGreaterThan(500);
    });

    it('bind a session that was not bound, at once and for good', async () => {
      const unbound = (await anyone.post('auth/login', { email, password: PASSWORD })).data;
      expect((await anyone.get('auth/sessions', { token: unbound.accessToken })).status).toBe(200);
      const binding = await DpopClient.of(system);
      await binding.take(await binding.refresh(unbound.refreshToken));
      expect((await binding.call('GET', 'auth/sessions')).status).toBe(200);
      const before = await anyone.get('auth/sessions', { token: unbound.accessToken });
      expect(outcome(before)).toEqual([401, 'UNAUTHENTICATED', 'key']);
      const bare = await anyone.post('auth/refresh', { refreshToken: binding.refreshToken });
      expect(outcome(bare)).toEqual(REFUSED('missing'));
    });
  });
});

describe('an API that is told its public address', () => {
  it('goes by it, and not by the host that a request names', async () => {
    const system = await startSystem({ worker: false, env: { PUBLIC_URL: 'https://api.example.com' } });
    try {
      const client = await DpopClient.of(system);
      const body = { email: 'nobody@example.com', password: PASSWORD };
      const login = async (htu: string) =>
        outcome(
          await client.call('POST', 'auth/login', { body, proof: await client.proof('POST', '', { htu }) }),
        );
      expect(await login(`${system.url}/api/v1/auth/login`)).toEqual(REFUSED('htu'));
      expect(await login('https://api.example.com/api/v1/auth/login')).toEqual([
        401,
        'INVALID_CREDENTIALS',
        undefined,
      ]);
    } finally {
      await system.stop();
    }
  });
});
