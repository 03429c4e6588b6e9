import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { Client } from '../support/client.js';
import { APPLE, CHALLENGE, GOOGLE, OAuthSystem, outcome } from '../support/oauth-system.js';
import { startSystem } from '../support/system.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('signing in by an ID token', () => {
  let oauth: OAuthSystem;

  beforeAll(async () => {
    oauth = await OAuthSystem.start();
  });
  afterAll(async () => oauth.stop());

  /** What is kept of people and proofs: equal before and after a refusal. */
  async function kept(): Promise<number[]> {
    return await Promise.all(
      ['users', 'sessions', 'oauth_identities', 'oauth_used_tokens'].map((table) => oauth.count(table)),
    );
  }

  async function assertRefused(provider: 'google' | 'apple', body: object, problem: string): Promise<void> {
    const before = await kept();
    const answer = await oauth.enter(provider, { ...body, account: oauth.account() });
    expect([...outcome(answer), answer.error?.details['problem']]).toEqual([
      401,
      'ID_TOKEN_INVALID',
      problem,
    ]);
    expect(await kept()).toEqual(before);
  }

  describe.each(['google', 'apple'] as const)('of %s', (provider) => {
    it('asks for an account first, then opens it, then knows it by the person and not by the email', async () => {
      const person = oauth.person();
      const proof = await oauth.native(provider, person);
      const before = await kept();
      const asked = await oauth.enter(provider, proof);
      expect([...outcome(asked), asked.error.details]).toEqual([
        409,
        'REGISTRATION_REQUIRED',
        { field: 'account', suggested: { email: person.email, displayName: null } },
      ]);
      expect(await kept()).toEqual(before);
      const made = await oauth.enter(provider, { ...proof, account: oauth.account() });
      expect([made.status, made.data.user.email]).toEqual([200, person.email]);
      const moved = { ...person, email: `${randomUUID()}@example.org` };
      const again = await oauth.enter(provider, await oauth.native(provider, moved));
      expect([again.status, again.data.user]).toEqual([200, made.data.user]);
    });

    it('takes a token once, also of twenty who bring it at once', async () => {
      const person = oauth.person();
      const user = await oauth.user(provider, person);
      const proof = await oauth.native(provider, person);
      const answers = await Promise.all(Array.from({ length: 20 }, () => oauth.enter(provider, proof)));
      expect(answers.filter(({ status }) => status === 200).map(({ data }) => data.user.id)).toEqual([
        user.userId,
      ]);
      expect(answers.filter(({ error }) => error?.code === 'ID_TOKEN_USED')).toHaveLength(19);
    });

    it('opens one account for ten who come with new tokens of one person at once', async () => {
      const person = oauth.person();
      const proofs = await Promise.all(Array.from({ length: 10 }, () => oauth.native(provider, person)));
      const users = await oauth.count('users');
      const answers = await Promise.all(
        proofs.map((proof) => oauth.enter(provider, { ...proof, account: oauth.account() })),
      );
      const entered = answers.filter(({ status }) => status === 200);
      const ids = new Set(entered.map(({ data }) => data.user.id));
      expect([answers.every(({ status }) => status === 200 || status === 409), ids.size]).toEqual([true, 1]);
      expect(await oauth.count('users')).toBe(users + 1);
    });

    it('refuses a token of another nonce, or of none', async () => {
      const { idToken, nonce } = await oauth.native(provider, oauth.person());
      await assertRefused(provider, { idToken, nonce: randomUUID() }, 'nonce');
      await assertRefused(provider, { idToken, nonce: nonce.toUpperCase() }, 'nonce');
      const without = await oauth.native(provider, oauth.person(), { nonce: undefined });
      await assertRefused(provider, without, 'nonce');
      const empty = await oauth.native(provider, oauth.person(), { nonce: ['a'.repeat(20)] });
      await assertRefused(provider, { ...empty, nonce: 'a'.repeat(20) }, 'nonce');
    });

    it('refuses a token for another application, or of another issuer', async () => {
      const other = provider === 'google' ? 'apple' : 'google';
      const { web } = provider === 'google' ? GOOGLE : APPLE;
      for (const aud of ['someone-else', '', [], ['someone-else'], [web, 'someone-else'], undefined])
        await assertRefused(provider, await oauth.native(provider, oauth.person(), { aud }), 'audience');
      const azp = await oauth.native(provider, oauth.person(), { aud: [web, 'x'], azp: 'x' });
      await assertRefused(provider, azp, 'audience');
      for (const iss of [oauth.server(other).issuer, 'https://evil.example', '', undefined])
        await assertRefused(provider, await oauth.native(provider, oauth.person(), { iss }), 'issuer');
      await assertRefused(provider, await oauth.native(other, oauth.person()), 'signature');
    });

    it('refuses a token that has expired, is old, or is not valid yet', async () => {
      const now = Math.floor(oauth.system.now().getTime() / 1000);
      for (const over of [
        { exp: now - 61 },
        { iat: now - 3700, exp: now + 3600 },
        { iat: now + 120, exp: now + 3600 },
        { nbf: now + 120 },
      ]) {
        const problem = 'nbf' in over ? 'claims' : 'expired';
        await assertRefused(provider, await oauth.native(provider, oauth.person(), over), problem);
      }
      for (const over of [{ exp: undefined }, { iat: undefined }, { exp: 'soon' }, { sub: undefined }])
        expect(
          outcome(await oauth.enter(provider, await oauth.native(provider, oauth.person(), over))),
        ).toEqual([401, 'ID_TOKEN_INVALID']);
    });

    it('refuses a token that was good, once its time is over', async () => {
      const proof = await oauth.native(provider, oauth.person());
      const begun = oauth.system.now();
      await oauth.system.moveTo(new Date(begun.getTime() + 3_700_000));
      await assertRefused(provider, proof, 'expired');
      await oauth.system.moveTo(begun);
    });

    it('refuses a token that was changed, is by another key or algorithm, or by none', async () => {
      const { idToken, nonce } = await oauth.native(provider, oauth.person());
      const [header, payload, signature] = idToken.split('.') as [string, string, string];
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
      const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
      const changed = encode({ ...claims, sub: 'another' });
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const sign = (alg: string, kid: string | undefined, key: Parameters<SignJWT['sign']>[0]) =>
        new SignJWT(claims).setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) }).sign(key);
      for (const [token, problem] of [
        [`${header}.${changed}.${signature}`, 'signature'],
        [`${header}.${payload}.${signature.slice(0, -4)}AAAA`, 'signature'],
        [await sign('RS256', 'first', privateKey), 'signature'],
        [await sign('RS256', 'unknown', privateKey), 'signature'],
        [await sign('HS256', 'first', Buffer.alloc(32, 7)), 'algorithm'],
        [await sign('PS256', 'first', privateKey), 'algorithm'],
        [`${encode({ alg: 'none' })}.${payload}.`, 'algorithm'],
        [`${encode({ alg: 'none', kid: 'first' })}.${payload}.${signature}`, 'algorithm'],
        [`${encode({ alg: 'RS256', kid: 'first', crit: ['x'], x: 1 })}.${payload}.${signature}`, 'form'],
        ['a.b.c', 'form'],
        [payload, 'form'],
        [`${idToken}.`, 'form'],
      ] as const)
        await assertRefused(provider, { idToken: token, nonce }, problem);
      expect((await oauth.enter(provider, { idToken, nonce, account: oauth.account() })).status).toBe(200);
    });

    it('refuses the same token written in another way', async () => {
      const person = oauth.person();
      await oauth.user(provider, person);
      const { idToken, nonce } = await oauth.native(provider, person);
      expect((await oauth.enter(provider, { idToken, nonce })).status).toBe(200);
      // The last character of a signature of 256 bytes carries four bits that mean nothing.
      const last = idToken.at(-1)!;
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const twin = alphabet[alphabet.indexOf(last) ^ 1]!;
      const answer = await oauth.enter(provider, { idToken: idToken.slice(0, -1) + twin, nonce });
      expect([answer.status, ['ID_TOKEN_USED', 'ID_TOKEN_INVALID'].includes(answer.error.code)]).toEqual([
        401,
        true,
      ]);
    });
  });

  it('takes the nonce itself or its hash, but not a hash that somebody saw in a token of Apple', async () => {
    const person = oauth.person();
    await oauth.user('apple', person);
    await oauth.user('google', { ...person, email: 'other@example.org' });
    const nonce = randomUUID();
    const apple = await oauth.native('apple', person, { nonce: sha256(nonce) });
    await assertRefused('apple', { ...apple, nonce: sha256(nonce) }, 'nonce');
    expect((await oauth.enter('apple', { ...apple, nonce })).status).toBe(200);
    const plain = await oauth.native('apple', person, { nonce });
    expect((await oauth.enter('apple', { ...plain, nonce })).status).toBe(200);
    const google = await oauth.native('google', person, { nonce: sha256(nonce) });
    expect((await oauth.enter('google', { ...google, nonce: sha256(nonce) })).status).toBe(200);
  });

  it('believes that an email was verified only where the provider says so', async () => {
    for (const [said, verified] of [
      [true, true],
      ['true', true],
      [false, false],
      ['false', false],
      [undefined, false],
      [1, false],
    ] as const) {
      const person = oauth.person();
      const proof = await oauth.native('apple', person, { email_verified: said });
      const { data } = await oauth.enter('apple', { ...proof, account: oauth.account() });
      const { rows } = await oauth.system.db.query(
        `SELECT u.email_verified_at IS NOT NULL AS account, i.email_verified AS identity
         FROM users u JOIN oauth_identities i ON i.user_id = u.id WHERE u.id = $1`,
        [data.user.id],
      );
      expect(rows).toEqual([{ account: verified, identity: verified }]);
    }
  });

  it('takes a private relay address for an email, and marks it', async () => {
    for (const over of [
      { email: `${randomUUID()}@privaterelay.appleid.com`, is_private_email: 'true' },
      { email: `${randomUUID()}@privaterelay.appleid.com` },
      { is_private_email: true },
    ]) {
      const person = oauth.person(over);
      const user = await oauth.user('apple', person);
      expect((await user.get('auth/oauth')).data).toMatchObject([
        { email: person.email, privateRelay: true },
      ]);
      const { rows } = await oauth.system.db.query('SELECT email FROM users WHERE id = $1', [user.userId]);
      expect(rows).toEqual([{ email: person.email }]);
    }
  });

  it('opens an account without an email for who has none, or one that cannot be', async () => {
    for (const email of [
      undefined,
      'nobody',
      '',
      'a@b@c',
      `${'x'.repeat(300)}@example.org`,
      'a\0@example.org',
    ]) {
      const proof = await oauth.native('apple', oauth.person(), { email });
      const { status, data } = await oauth.enter('apple', { ...proof, account: oauth.account() });
      expect([status, data.user.email]).toEqual([200, null]);
    }
  });

  it('shows the name that the account says, else the app, else the provider, else the handle', async () => {
    const shown = async (claims: object, body: object, over: object = {}) => {
      const account = oauth.account(over as Record<string, unknown>);
      const proof = await oauth.native('apple', oauth.person(), { ...claims });
      const { data } = await oauth.enter('apple', { ...proof, ...body, account });
      return data.user.displayName === account['handle'] ? 'the handle' : data.user.displayName;
    };
    expect(await shown({ name: 'Claimed' }, { name: 'Given' }, { displayName: 'Chosen' })).toBe('Chosen');
    expect(await shown({ name: 'Claimed' }, { name: ' Given ' })).toBe('Given');
    expect(await shown({ name: 'Claimed' }, {})).toBe('Claimed');
    expect(await shown({ name: 'n'.repeat(500) }, {})).toBe('n'.repeat(60));
    expect(await shown({ name: '😀'.repeat(80) }, {})).toBe('😀'.repeat(60));
    for (const name of [undefined, '', ' ', 7, 'a\0b', ['x']])
      expect(await shown({ name }, {})).toBe('the handle');
    expect(await shown({}, { name: '   ' })).toBe('the handle');
  });

  it('refuses a body that has no proof, half of one, or two', async () => {
    const { idToken, nonce } = await oauth.native('google', oauth.person());
    const ticket = 'x'.repeat(43);
    for (const body of [
      {},
      { idToken },
      { nonce },
      { idToken, nonce, ticket },
      { ticket, nonce },
      { idToken, nonce, verifier: ticket },
      { verifier: ticket },
      { ticket },
      { idToken, nonce, account: null },
      { idToken, nonce, account: { handle: 'x' } },
      { idToken, nonce, account: oauth.account({ role: 'admin' }) },
      { idToken, nonce, email: 'ada@example.com' },
      { idToken, nonce, userId: randomUUID() },
    ])
      expect(outcome(await oauth.enter('google', body))).toEqual([400, 'VALIDATION_FAILED']);
    expect(
      outcome(await oauth.enter('google', { idToken, nonce, account: oauth.account({ termsVersion: '1' }) })),
    ).toEqual([409, 'TERMS_VERSION_OUTDATED']);
    expect((await oauth.enter('google', { idToken, nonce, account: oauth.account() })).status).toBe(200);
  });

  it('lets nobody in who is banned, and opens nothing under a handle that is taken', async () => {
    const person = oauth.person();
    const user = await oauth.user('google', person);
    await oauth.system.db.query("UPDATE users SET status = 'banned' WHERE id = $1", [user.userId]);
    expect(outcome(await oauth.enter('google', await oauth.native('google', person)))).toEqual([
      403,
      'BANNED',
    ]);
    const account = oauth.account();
    const [one, two] = [
      await oauth.native('google', oauth.person()),
      await oauth.native('google', oauth.person()),
    ];
    expect((await oauth.enter('google', { ...one, account })).status).toBe(200);
    expect(outcome(await oauth.enter('google', { ...two, account }))).toEqual([409, 'HANDLE_TAKEN']);
    expect((await oauth.enter('google', { ...two, account: oauth.account() })).status).toBe(200);
  });
});

describe('a provider that does not answer', () => {
  it('is told so with the time to wait, and everything else goes on', async () => {
    const oauth = await OAuthSystem.start();
    const person = oauth.person();
    const proof = await oauth.native('google', person);
    await oauth.google.stop();
    try {
      const { url } = oauth.system;
      const begun = await new Client(url).get(
        `auth/oauth/google?redirectTo=https://admin.example.com&challenge=${CHALLENGE}`,
      );
      const signedIn = await oauth.enter('google', proof);
      for (const answer of [begun, signedIn])
        expect([...outcome(answer), answer.headers.get('retry-after')]).toEqual([
          503,
          'SERVICE_UNAVAILABLE',
          '5',
        ]);
      expect(await oauth.count('oauth_requests')).toBe(0);
      expect((await oauth.through('apple', oauth.person())).fragment.has('ticket')).toBe(true);
    } finally {
      await oauth.system.stop();
      await oauth.apple.stop();
    }
  });

  it('sends the browser to its app all the same, and keeps known keys at work', async () => {
    const oauth = await OAuthSystem.start();
    const person = oauth.person();
    await oauth.user('google', person);
    const browser = oauth.browser();
    oauth.google.person = person;
    const { url } = await browser.open(oauth.beginUrl('google'), ({ pathname }) =>
      pathname.endsWith('/callback'),
    );
    const proof = await oauth.native('google', person);
    await oauth.google.stop();
    try {
      expect((await browser.open(url.href)).fragment.get('error')).toBe('SERVICE_UNAVAILABLE');
      expect((await oauth.enter('google', proof)).status).toBe(200);
    } finally {
      await oauth.system.stop();
      await oauth.apple.stop();
    }
  });

  it('is unknown where it is not configured', async () => {
    const system = await startSystem({ worker: false });
    try {
      const client = new Client(system.url);
      const body = { idToken: 'a.b.c', nonce: 'x'.repeat(16) };
      for (const provider of ['google', 'apple', 'facebook']) {
        expect(outcome(await client.post(`auth/oauth/${provider}/token`, body))).toEqual([
          404,
          'PROVIDER_UNKNOWN',
        ]);
        expect(
          outcome(
            await client.get(
              `auth/oauth/${provider}?redirectTo=https://app.example.com&challenge=${CHALLENGE}`,
            ),
          ),
        ).toEqual([404, 'PROVIDER_UNKNOWN']);
      }
    } finally {
      await system.stop();
    }
  });
});
