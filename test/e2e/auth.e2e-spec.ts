import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { Builders, PASSWORD } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';

const TERMS = '2026-11';

interface Registered {
  account: { email: string; handle: string };
  client: Client;
  tokens: { accessToken: string; refreshToken: string; user: object };
}

describe('accounts and sessions', () => {
  let system: System;
  let make: Builders;
  let anyone: Client;
  let count = 0;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    await make.week(202340, { group: false });
    anyone = new Client(system.url);
  });
  afterAll(async () => system.stop());

  function account(over: Record<string, unknown> = {}): Record<string, unknown> {
    count += 1;
    return {
      email: `new${count}@example.com`,
      password: PASSWORD,
      handle: `new_${count}`,
      birthDate: '1990-12-10',
      termsVersion: TERMS,
      ...over,
    };
  }

  async function register(over: Record<string, unknown> = {}): Promise<Registered> {
    const body = account(over);
    const { status, data } = await anyone.post('auth/register', body);
    expect(status).toBe(201);
    return {
      account: body as Registered['account'],
      client: new Client(system.url, data.accessToken, data.user.id),
      tokens: data,
    };
  }

  async function countOf(table: 'users' | 'sessions' | 'credentials'): Promise<number> {
    const { rows } = await system.db.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
    return rows[0]!.n;
  }

  const outcome = ({ status, error }: Answer) => [status, error?.code];

  describe('registering', () => {
    it('opens an account that is signed in', async () => {
      const { account: made, client, tokens } = await register({ displayName: 'Ada Lovelace' });
      expect(tokens).toEqual({
        accessToken: expect.any(String),
        refreshToken: expect.any(String),
        expiresIn: 900,
        deviceToken: expect.any(String),
        user: {
          id: client.userId,
          email: made.email,
          handle: made.handle,
          displayName: 'Ada Lovelace',
          role: 'user',
        },
      });
      const me = await client.get('me');
      expect([me.status, me.data.user]).toEqual([200, { ...tokens.user, termsAccepted: true }]);
    });

    it('stores the password as argon2id and the refresh token as a hash', async () => {
      const { client, tokens } = await register();
      const { rows } = await system.db.query(
        `SELECT c.password_hash, encode(t.token_hash, 'base64') AS token FROM credentials c
         JOIN sessions s USING (user_id) JOIN refresh_tokens t ON t.session_id = s.id WHERE user_id = $1`,
        [client.userId],
      );
      expect(rows).toHaveLength(1);
      expect(rows[0].password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=1,p=1\$/);
      expect(Buffer.from(rows[0].token, 'base64')).toHaveLength(32);
      expect(Buffer.from(rows[0].token, 'base64').toString('base64url')).not.toBe(tokens.refreshToken);
    });

    it('refuses an email or a handle that is taken, in any case', async () => {
      const { account: first } = await register();
      const users = await countOf('users');
      const email = await anyone.post('auth/register', account({ email: first.email.toUpperCase() }));
      const handle = await anyone.post('auth/register', account({ handle: first.handle.toUpperCase() }));
      expect([...outcome(email), email.error.details]).toEqual([409, 'EMAIL_TAKEN', { field: 'email' }]);
      expect([...outcome(handle), handle.error.details]).toEqual([409, 'HANDLE_TAKEN', { field: 'handle' }]);
      expect(await countOf('users')).toBe(users);
    });

    it('opens one account for ten who send the same at once', async () => {
      const body = account();
      const answers = await Promise.all(Array.from({ length: 10 }, () => anyone.post('auth/register', body)));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(answers.filter(({ error }) => error?.code === 'EMAIL_TAKEN')).toHaveLength(9);
    });

    it('asks for the terms in their current version', async () => {
      const users = await countOf('users');
      const answer = await anyone.post('auth/register', account({ termsVersion: '2020-01' }));
      expect([...outcome(answer), answer.error.details]).toEqual([
        409,
        'TERMS_VERSION_OUTDATED',
        { current: TERMS },
      ]);
      expect(await countOf('users')).toBe(users);
    });

    it.each([
      ['role', { role: 'admin' }],
      ['id', { id: randomUUID() }],
      ['status', { status: 'active' }],
      ['__proto__', JSON.parse('{"__proto__": {"role": "admin"}}') as object],
      ['constructor', { constructor: { prototype: { role: 'admin' } } }],
    ])('lets nobody choose their %s', async (_, extra) => {
      const users = await countOf('users');
      const body = JSON.stringify(account()).replace(/\}$/, `,${JSON.stringify(extra).slice(1)}`);
      const answer = await anyone.call('POST', 'auth/register', { body });
      expect(outcome(answer)).toEqual([400, 'VALIDATION_FAILED']);
      expect(await countOf('users')).toBe(users);
      const { rows } = await system.db.query("SELECT count(*)::int AS n FROM users WHERE role = 'admin'");
      expect(rows).toEqual([{ n: 0 }]);
    });

    it.each([
      ['an email without a domain', { email: 'ada' }],
      ['a short password', { password: 'short' }],
      ['a password without end', { password: 'x'.repeat(129) }],
      ['a handle with a space', { handle: 'a da' }],
      ['a day that does not exist', { birthDate: '1990-02-30' }],
      ['a null', { displayName: null }],
      ['a NUL in the name', { displayName: 'a\0b' }],
    ])('refuses %s', async (_, wrong) => {
      const answer = await anyone.post('auth/register', account(wrong));
      expect(outcome(answer)).toEqual([400, 'VALIDATION_FAILED']);
      expect(answer.error.details['fields']).toEqual([
        { field: Object.keys(wrong)[0], problems: expect.any(Array) },
      ]);
    });
  });

  describe('signing in', () => {
    it('knows the email in any case', async () => {
      const { account: made, client } = await register();
      const answer = await anyone.post('auth/login', { email: made.email.toUpperCase(), password: PASSWORD });
      expect([answer.status, answer.data.user.id]).toEqual([200, client.userId]);
    });

    it('answers a wrong password as it answers an unknown email', async () => {
      const { account: made } = await register();
      const sessions = await countOf('sessions');
      const wrong = await anyone.post('auth/login', { email: made.email, password: 'not the password' });
      const unknown = await anyone.post('auth/login', { email: 'nobody@example.com', password: PASSWORD });
      expect(outcome(wrong)).toEqual([401, 'INVALID_CREDENTIALS']);
      const told = ({ body }: Answer) => ({ ...body, error: { ...body.error, requestId: '' } }) as unknown;
      expect(told(unknown)).toEqual(told(wrong));
      expect(await countOf('sessions')).toBe(sessions);
    });

    it('tells a banned user so only when the password is right, and ends what they had', async () => {
      const { account: made } = await register();
      await system.db.query("UPDATE users SET status = 'banned' WHERE email = $1", [made.email]);
      const right = await anyone.post('auth/login', { email: made.email, password: PASSWORD });
      const wrong = await anyone.post('auth/login', { email: made.email, password: 'not the password' });
      expect([outcome(right), outcome(wrong)]).toEqual([
        [403, 'BANNED'],
        [401, 'INVALID_CREDENTIALS'],
      ]);
    });
  });

  describe('refreshing', () => {
    const refresh = (refreshToken: string) => anyone.post('auth/refresh', { refreshToken });

    it('gives a new pair of the same session', async () => {
      const { client, tokens } = await register();
      const answer = await refresh(tokens.refreshToken);
      expect([answer.status, answer.data.expiresIn]).toEqual([200, 900]);
      expect(answer.data.refreshToken).not.toBe(tokens.refreshToken);
      const renewed = new Client(system.url, answer.data.accessToken);
      expect((await renewed.get('me')).data.user.id).toBe(client.userId);
    });

    it('ends the session when a token comes a second time', async () => {
      const { client, tokens } = await register();
      const next = await refresh(tokens.refreshToken);
      expect((await client.get('me')).status).toBe(200);
      expect(outcome(await refresh(tokens.refreshToken))).toEqual([401, 'REFRESH_TOKEN_INVALID']);
      expect(outcome(await refresh(next.data.refreshToken))).toEqual([401, 'REFRESH_TOKEN_INVALID']);
      expect(outcome(await client.get('me'))).toEqual([401, 'SESSION_ENDED']);
      const renewed = new Client(system.url, next.data.accessToken);
      expect(outcome(await renewed.get('me'))).toEqual([401, 'SESSION_ENDED']);
    });

    it('gives one of twenty who send a token at once a pair, and then ends the session for all', async () => {
      const { client, tokens } = await register();
      const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(tokens.refreshToken)));
      const won = answers.filter(({ status }) => status === 200);
      expect(won).toHaveLength(1);
      expect(answers.filter(({ error }) => error?.code === 'REFRESH_TOKEN_INVALID')).toHaveLength(19);
      expect(outcome(await client.get('me'))).toEqual([401, 'SESSION_ENDED']);
      expect(outcome(await refresh(won[0]!.data.refreshToken))).toEqual([401, 'REFRESH_TOKEN_INVALID']);
      const { rows } = await system.db.query('SELECT end_reason FROM sessions WHERE user_id = $1', [
        client.userId,
      ]);
      expect(rows).toEqual([{ end_reason: 'refresh_reused' }]);
    });

    it('knows no token that was never given', async () => {
      expect(outcome(await refresh('x'.repeat(43)))).toEqual([401, 'REFRESH_TOKEN_INVALID']);
    });
  });

  it('ends a session at the next request after signing out', async () => {
    const { client, tokens } = await register();
    expect((await client.get('me')).status).toBe(200);
    const out = await client.call('POST', 'auth/logout');
    expect([out.status, out.data]).toEqual([200, null]);
    expect(outcome(await client.get('me'))).toEqual([401, 'SESSION_ENDED']);
    expect(outcome(await anyone.post('auth/refresh', { refreshToken: tokens.refreshToken }))).toEqual([
      401,
      'REFRESH_TOKEN_INVALID',
    ]);
  });

  it('keeps the other sessions of who signs out of one', async () => {
    const { account: made, client } = await register();
    const other = await anyone.post('auth/login', { email: made.email, password: PASSWORD });
    await client.call('POST', 'auth/logout');
    expect((await new Client(system.url, other.data.accessToken).get('me')).status).toBe(200);
  });

  it('accepts the terms in their current version only', async () => {
    const { client } = await register();
    await system.db.query("UPDATE users SET terms_version = '2020-01' WHERE id = $1", [client.userId]);
    expect((await client.get('me')).data.user.termsAccepted).toBe(false);
    const old = await client.post('auth/terms', { version: '2020-01' });
    expect(outcome(old)).toEqual([409, 'TERMS_VERSION_OUTDATED']);
    expect((await client.post('auth/terms', { version: TERMS })).data).toEqual({ version: TERMS });
    expect((await client.get('me')).data.user.termsAccepted).toBe(true);
  });

  describe('access tokens', () => {
    const claimsOf = (token: string) =>
      JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const meWith = async (token: string) => outcome(await anyone.get('me', { token }));

    it('lets nobody in without one, or with what is none', async () => {
      expect(outcome(await anyone.get('me'))).toEqual([401, 'UNAUTHENTICATED']);
      for (const authorization of [
        '',
        'Bearer',
        'Bearer x',
        'Basic YTpi',
        'Bearer a.b.c',
        `bearer ${'a.'.repeat(3)}`,
      ])
        expect(outcome(await anyone.get('me', { headers: { authorization } }))).toEqual([
          401,
          'UNAUTHENTICATED',
        ]);
    });

    it('refuses a token without a signature, by another key or algorithm, or changed', async () => {
      const { tokens } = await register();
      const claims = claimsOf(tokens.accessToken);
      const [header, payload, signature] = tokens.accessToken.split('.') as [string, string, string];
      const { privateKey } = generateKeyPairSync('ed25519');
      const protectedHeader = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg: string };
      const forged = await new SignJWT(claims).setProtectedHeader(protectedHeader).sign(privateKey);
      const hmac = await new SignJWT(claims)
        .setProtectedHeader({ ...protectedHeader, alg: 'HS256' })
        .sign(Buffer.alloc(32, 7));
      const unsigned = `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`;
      const none = `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.${signature}`;
      const changed = `${header}.${encode({ ...claims, role: 'admin' })}.${signature}`;
      for (const token of [forged, hmac, unsigned, none, changed])
        expect(await meWith(token)).toEqual([401, 'UNAUTHENTICATED']);
    });

    it("refuses a user's claims on another's session, though the signature be right", async () => {
      const [one, two] = await make.players(2);
      const { AccessTokensService } = await import('../../src/modules/auth/access-tokens.service.js');
      const session = String(claimsOf(two!.token!)['sid']);
      const mixed = await system.app.get(AccessTokensService).sign(one!.userId, session, 'user');
      expect(await meWith(mixed)).toEqual([401, 'SESSION_ENDED']);
      const strange = await system.app.get(AccessTokensService).sign(one!.userId, randomUUID(), 'user');
      expect(await meWith(strange)).toEqual([401, 'SESSION_ENDED']);
    });

    it('believes the session and not the token about the role', async () => {
      const [player] = await make.players(1);
      const { AccessTokensService } = await import('../../src/modules/auth/access-tokens.service.js');
      const session = String(claimsOf(player!.token!)['sid']);
      const token = await system.app.get(AccessTokensService).sign(player!.userId, session, 'admin');
      expect(outcome(await anyone.get('admin/queues', { token }))).toEqual([403, 'FORBIDDEN']);
    });

    it('expires after 15 minutes, to the second, and the refresh token after 7 days', async () => {
      const { client, tokens } = await register();
      const { account: other, tokens: otherTokens } = await register();
      const expiry = Number(claimsOf(tokens.accessToken)['exp']) * 1000;
      expect(expiry - Number(claimsOf(tokens.accessToken)['iat']) * 1000).toBe(900_000);
      await system.moveTo(new Date(expiry - 5_000));
      expect((await client.get('me')).status).toBe(200);
      await system.moveTo(new Date(expiry));
      expect(outcome(await client.get('me'))).toEqual([401, 'TOKEN_EXPIRED']);
      const renewed = await anyone.post('auth/refresh', { refreshToken: tokens.refreshToken });
      expect((await new Client(system.url, renewed.data.accessToken).get('me')).status).toBe(200);
      await system.moveTo(new Date(expiry + 7 * 86_400_000 + 60_000));
      for (const refreshToken of [renewed.data.refreshToken, otherTokens.refreshToken])
        expect(outcome(await anyone.post('auth/refresh', { refreshToken }))).toEqual([
          401,
          'REFRESH_TOKEN_INVALID',
        ]);
      expect((await anyone.post('auth/login', { email: other.email, password: PASSWORD })).status).toBe(200);
    });
  });

  describe('the id of a request', () => {
    it('is taken from the caller, told back, and told in errors', async () => {
      const headers = { 'X-Request-Id': 'my-request:1.2_3' };
      const good = await anyone.get('clock', { headers });
      const bad = await anyone.get('me', { headers });
      const malformed = await anyone.post('auth/login', '{"a', { headers });
      expect(good.headers.get('x-request-id')).toBe('my-request:1.2_3');
      for (const answer of [bad, malformed])
        expect([answer.headers.get('x-request-id'), answer.error.requestId]).toEqual(
          Array(2).fill('my-request:1.2_3'),
        );
    });

    it.each(['', 'with space', 'x'.repeat(129), '<script>', '../../etc/passwd', "'; DROP TABLE users; --"])(
      'is made when the caller sends none or what is none: %j',
      async (given) => {
        const answer = await anyone.get('me', { headers: { 'X-Request-Id': given } });
        expect(answer.error.requestId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        expect(answer.headers.get('x-request-id')).toBe(answer.error.requestId);
      },
    );

    it('is there where there is no such path, and where the path cannot be read', async () => {
      for (const [path, code] of [
        ['nothing', 'NOT_FOUND'],
        ['weeks/%E0%A4%A', 'VALIDATION_FAILED'],
      ] as const) {
        const answer = await anyone.get(path);
        expect(answer.error).toMatchObject({ code, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
        expect(answer.headers.get('x-request-id')).toBe(answer.error.requestId);
      }
    });
  });
});

describe('rate limits', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem({
      worker: false,
      at: '2023-10-03T12:00:00Z',
      env: { RATE_LIMIT_FACTOR: '1' },
    });
  });
  afterAll(async () => system.stop());

  const told = ({ headers }: Answer) =>
    ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset', 'retry-after'].map((name) => {
      const value = headers.get(name);
      return value === null ? null : Number(value);
    });

  it('lets an address that is not signed in ask 10 times a minute', async () => {
    const anyone = new Client(system.url);
    const answers: Answer[] = [];
    for (let n = 0; n < 12; n += 1) answers.push(await anyone.get('clock'));
    expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(200), 429, 429]);
    expect(answers.slice(0, 10).map((answer) => told(answer).slice(0, 2))).toEqual(
      Array.from({ length: 10 }, (_, n) => [10, 9 - n]),
    );
    const [, , reset] = told(answers[0]!);
    expect(reset).toBeGreaterThan(0);
    expect(reset).toBeLessThanOrEqual(60);
    const refused = answers[10]!;
    expect(refused.error).toMatchObject({ code: 'RATE_LIMITED', details: { limit: 10 } });
    const retryAfter = told(refused)[3];
    expect(retryAfter).toBe(refused.error.details['retryAfter']);
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(60);
  });

  it('lets a user ask 100 times a minute, each for themselves', async () => {
    const make = new Builders(system);
    await make.week(202340, { group: false });
    const [one, two] = await make.players(2);
    const answers = await Promise.all(Array.from({ length: 105 }, () => one!.get('me')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(100);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(5);
    for (const { error } of refused)
      expect(error).toMatchObject({ code: 'RATE_LIMITED', details: { limit: 100 } });
    expect(told(await two!.get('me')).slice(0, 2)).toEqual([100, 99]);
  });
});
