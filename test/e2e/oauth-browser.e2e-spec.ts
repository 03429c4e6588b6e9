import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from '../support/browser.js';
import { Client } from '../support/client.js';
import {
  API,
  APP,
  CHALLENGE,
  OAuthSystem,
  outcome,
  type ProviderName,
  VERIFIER,
} from '../support/oauth-system.js';

describe('signing in by a browser', () => {
  let oauth: OAuthSystem;

  beforeAll(async () => {
    oauth = await OAuthSystem.start();
  });
  afterAll(async () => oauth.stop());

  const isCallback = (url: URL) => url.pathname.endsWith('/callback');

  /** Goes as far as the provider's answer, which is not delivered. */
  async function answerFor(browser: Browser, provider: ProviderName = 'google'): Promise<URL> {
    oauth.server(provider).person = oauth.person();
    return (await browser.open(oauth.beginUrl(provider), isCallback)).url;
  }

  const bodyOf = (text: string) => JSON.parse(text) as { error: { code: string } };

  describe.each(['google', 'apple'] as const)('at %s', (provider) => {
    it('ends at the app with a ticket, which opens an account and then signs in to it', async () => {
      const person = oauth.person(provider === 'google' ? { name: 'Ada Lovelace' } : {});
      const page = await oauth.through(provider, person);
      expect(page.url.href.split('#')[0]).toBe(APP);
      expect([...page.fragment.keys()]).toEqual(['ticket', 'provider']);
      const ticket = page.fragment.get('ticket')!;
      const account = oauth.account();
      const made = await oauth.enter(provider, { ticket, verifier: VERIFIER, account });
      expect([made.status, made.data.user]).toEqual([
        200,
        {
          id: expect.any(String),
          email: person.email,
          handle: account['handle'],
          displayName: provider === 'google' ? 'Ada Lovelace' : account['handle'],
          role: 'user',
        },
      ]);
      const again = await oauth.enter(provider, {
        ticket: await oauth.ticket(provider, person),
        verifier: VERIFIER,
      });
      expect([again.status, again.data.user.id]).toEqual([200, made.data.user.id]);
      const me = await new Client(oauth.system.url, again.data.accessToken).get('auth/oauth');
      expect(me.data).toMatchObject([{ provider, email: person.email, privateRelay: false }]);
      const { rows } = await oauth.system.db.query(
        'SELECT proof, email_verified_at IS NOT NULL AS verified FROM sessions JOIN users u ON u.id = user_id WHERE user_id = $1',
        [made.data.user.id],
      );
      expect(rows).toEqual([
        { proof: provider, verified: true },
        { proof: provider, verified: true },
      ]);
    });

    it('tells the app when the user says no', async () => {
      const { url, fragment } = await oauth.through(provider, null);
      expect([url.href.split('#')[0], fragment.get('error'), fragment.get('ticket')]).toEqual([
        APP,
        'OAUTH_DENIED',
        null,
      ]);
    });
  });

  it('asks the provider with state, nonce and PKCE, and keeps nothing that could take their place', async () => {
    const browser = oauth.browser();
    const { url } = await browser.open(
      oauth.beginUrl('google'),
      ({ origin }) => origin === oauth.google.issuer,
    );
    const asked = Object.fromEntries(url.searchParams);
    expect(asked).toMatchObject({
      response_type: 'code',
      scope: 'openid email profile',
      code_challenge_method: 'S256',
      redirect_uri: `${API}/api/v1/auth/oauth/google/callback`,
    });
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(asked[name]).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const [cookie = ''] = browser.cookiesOf(API);
    expect(cookie).toMatch(/^__Host-parley-oauth-google=[A-Za-z0-9_-]{43}$/);
    const { rows } = await oauth.system.db.query('SELECT r::text AS text FROM oauth_requests r');
    const stored = rows.map((row) => row.text).join();
    for (const secret of [asked['state'], asked['nonce'], cookie.split('=')[1]]) {
      expect(stored).not.toContain(secret);
      expect(stored).not.toContain(Buffer.from(secret!, 'base64url').toString('hex'));
    }
  });

  it('sets a cookie that no script reads, and answers what no cache keeps', async () => {
    for (const [provider, policy] of [
      ['google', 'SameSite=Lax; Secure'],
      ['apple', 'SameSite=None; Secure'],
    ] as const) {
      const path = oauth.beginUrl(provider).slice(API.length);
      const answer = await fetch(`${oauth.system.url}${path}`, { redirect: 'manual' });
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([302, 'no-store']);
      expect(answer.headers.getSetCookie()).toEqual([
        expect.stringMatching(
          new RegExp(
            `^__Host-parley-oauth-${provider}=[\\w-]{43}; Path=/; Max-Age=600; HttpOnly; ${policy}$`,
          ),
        ),
      ]);
    }
  });

  it('lets two tabs of a browser sign in at once', async () => {
    const browser = oauth.browser();
    const [one, two] = [await answerFor(browser), await answerFor(browser)];
    for (const url of [two, one])
      expect((await browser.open(url.href)).fragment.get('ticket')).not.toBeNull();
  });

  describe('refuses', () => {
    it('an answer that comes twice', async () => {
      const browser = oauth.browser();
      const url = await answerFor(browser);
      expect((await browser.open(url.href)).fragment.has('ticket')).toBe(true);
      const tickets = await oauth.count('oauth_tickets');
      const { exchanges } = oauth.google;
      const replay = await browser.open(url.href);
      expect([replay.status, bodyOf(replay.text).error.code]).toEqual([400, 'OAUTH_STATE_INVALID']);
      expect([await oauth.count('oauth_tickets'), oauth.google.exchanges]).toEqual([tickets, exchanges]);
    });

    it('all but one of the same answers that come at once', async () => {
      const browser = oauth.browser();
      const url = await answerFor(browser);
      const pages = await Promise.all(Array.from({ length: 10 }, () => browser.open(url.href)));
      expect(pages.filter(({ fragment }) => fragment.has('ticket'))).toHaveLength(1);
      expect(pages.filter(({ status }) => status === 400)).toHaveLength(9);
    });

    it('an answer in a browser that did not ask, whose own browser may still have it', async () => {
      const [victim, attacker] = [oauth.browser(), oauth.browser()];
      const url = await answerFor(attacker);
      const without = await victim.open(url.href);
      await answerFor(victim);
      const withOther = await victim.open(url.href);
      for (const page of [without, withOther])
        expect([page.status, bodyOf(page.text).error.code]).toEqual([400, 'OAUTH_STATE_INVALID']);
      expect((await attacker.open(url.href)).fragment.has('ticket')).toBe(true);
    });

    it("another's code under one's own state, for its verifier and nonce are another's", async () => {
      const [victim, attacker] = [oauth.browser(), oauth.browser()];
      const stolen = await answerFor(victim);
      const own = await answerFor(attacker);
      own.searchParams.set('code', stolen.searchParams.get('code')!);
      const page = await attacker.open(own.href);
      expect([page.fragment.get('error'), page.fragment.has('ticket')]).toEqual(['OAUTH_FAILED', false]);
    });

    it('a code that was used, under a new state', async () => {
      const browser = oauth.browser();
      const first = await answerFor(browser);
      await browser.open(first.href);
      const second = await answerFor(browser);
      second.searchParams.set('code', first.searchParams.get('code')!);
      expect((await browser.open(second.href)).fragment.get('error')).toBe('OAUTH_FAILED');
    });

    it('an answer of another issuer, without a code, or with two states', async () => {
      const browser = oauth.browser();
      const mixed = await answerFor(browser);
      mixed.searchParams.set('iss', oauth.apple.issuer);
      expect((await browser.open(mixed.href)).fragment.get('error')).toBe('OAUTH_FAILED');
      const bare = await answerFor(browser);
      bare.searchParams.delete('code');
      expect((await browser.open(bare.href)).fragment.get('error')).toBe('OAUTH_FAILED');
      const twice = await answerFor(browser);
      twice.searchParams.append('state', 'x'.repeat(43));
      expect((await browser.open(twice.href)).fragment.get('error')).toBe('OAUTH_FAILED');
    });

    it("one provider's answer at the other's callback", async () => {
      const browser = oauth.browser();
      await answerFor(browser, 'apple');
      const url = await answerFor(browser);
      const page = await browser.post(
        `${API}/api/v1/auth/oauth/apple/callback`,
        Object.fromEntries(url.searchParams),
      );
      expect([page.status, bodyOf(page.text).error.code]).toEqual([400, 'OAUTH_STATE_INVALID']);
    });

    it('an answer that comes after ten minutes', async () => {
      const browser = oauth.browser();
      const url = await answerFor(browser);
      const begun = oauth.system.now();
      await oauth.system.moveTo(new Date(begun.getTime() + 601_000));
      expect((await browser.open(url.href)).status).toBe(400);
      await oauth.system.moveTo(begun);
    });

    it.each(['', 'state=', 'code=x', 'state=x&code=y', 'error=access_denied', 'state[]=x', 'state=%00'])(
      'a callback with %j',
      async (query) => {
        const browser = oauth.browser();
        await answerFor(browser);
        const page = await browser.open(`${API}/api/v1/auth/oauth/google/callback?${query}`);
        expect([page.status, bodyOf(page.text).error.code]).toEqual([400, 'OAUTH_STATE_INVALID']);
      },
    );

    it.each([
      '//evil.example',
      'https://evil.example',
      'https://app.example.com.evil.example/signed-in',
      'https://app.example.com@evil.example/signed-in',
      'https://evil.example\\@app.example.com/signed-in',
      'https://app.example.com/signed-in/../evil',
      'https://app.example.com/signed-in/..%2fevil',
      'https://app.example.com/signed-in%0d%0aSet-Cookie:a=b',
      'https://app.example.com/',
      'javascript:alert(1)',
      'https://app.example.com/signed-in#ticket=mine',
    ])('to send anybody to %j', async (redirectTo) => {
      const requests = await oauth.count('oauth_requests');
      const query = new URLSearchParams({ redirectTo, challenge: CHALLENGE }).toString();
      const answer = await oauth.anyone.get(`auth/oauth/google?${query}`);
      expect(outcome(answer)).toEqual([422, 'REDIRECT_NOT_ALLOWED']);
      expect(answer.headers.get('location')).toBeNull();
      expect(await oauth.count('oauth_requests')).toBe(requests);
    });

    it('a provider that nobody knows, and parameters that nobody knows', async () => {
      const redirectTo = encodeURIComponent(APP);
      const at = async (path: string) => outcome(await oauth.anyone.get(`auth/oauth/${path}`));
      expect(await at(`facebook?redirectTo=${redirectTo}&challenge=${CHALLENGE}`)).toEqual([
        404,
        'PROVIDER_UNKNOWN',
      ]);
      expect(await at('facebook/callback?state=x')).toEqual([404, 'PROVIDER_UNKNOWN']);
      expect(await at('google')).toEqual([400, 'VALIDATION_FAILED']);
      for (const query of [`challenge=${CHALLENGE}&scope=all`, '', 'challenge=short', 'challenge='])
        expect(await at(`google?redirectTo=${redirectTo}&${query}`)).toEqual([400, 'VALIDATION_FAILED']);
    });
  });

  describe('a ticket', () => {
    it('works once, also for twenty who bring it at once', async () => {
      const person = oauth.person();
      const user = await oauth.user('google', person);
      const ticket = await oauth.ticket('google', person);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => oauth.enter('google', { ticket, verifier: VERIFIER })),
      );
      const won = answers.filter(({ status }) => status === 200);
      expect(won.map(({ data }) => data.user.id)).toEqual([user.userId]);
      expect(answers.filter(({ error }) => error?.code === 'TICKET_INVALID')).toHaveLength(19);
    });

    it('lives for a minute, and for a quarter of an hour once its holder was told to register', async () => {
      const [late, kept] = [
        await oauth.ticket('google', oauth.person()),
        await oauth.ticket('google', oauth.person()),
      ];
      const begun = oauth.system.now();
      expect(outcome(await oauth.enter('google', { ticket: kept, verifier: VERIFIER }))).toEqual([
        409,
        'REGISTRATION_REQUIRED',
      ]);
      await oauth.system.moveTo(new Date(begun.getTime() + 62_000));
      expect(outcome(await oauth.enter('google', { ticket: late, verifier: VERIFIER }))).toEqual([
        401,
        'TICKET_INVALID',
      ]);
      await oauth.system.moveTo(new Date(begun.getTime() + 880_000));
      expect(outcome(await oauth.enter('google', { ticket: kept, verifier: VERIFIER }))).toEqual([
        409,
        'REGISTRATION_REQUIRED',
      ]);
      await oauth.system.moveTo(new Date(begun.getTime() + 905_000));
      expect(
        outcome(await oauth.enter('google', { ticket: kept, verifier: VERIFIER, account: oauth.account() })),
      ).toEqual([401, 'TICKET_INVALID']);
      await oauth.system.moveTo(begun);
    });

    it('is of use only to the app that knows what it was begun with', async () => {
      const verifier = randomBytes(32).toString('base64url');
      const challenge = createHash('sha256').update(verifier).digest('base64url');
      const person = oauth.person();
      await oauth.user('google', person);
      oauth.google.person = person;
      const page = await oauth.browser().open(oauth.beginUrl('google', { challenge }));
      const ticket = page.fragment.get('ticket')!;
      const other = randomBytes(32).toString('base64url');
      expect(outcome(await oauth.enter('google', { ticket }))).toEqual([400, 'VALIDATION_FAILED']);
      expect(outcome(await oauth.enter('google', { ticket, verifier: other }))).toEqual([
        401,
        'TICKET_INVALID',
      ]);
      expect((await oauth.enter('google', { ticket, verifier })).status).toBe(200);
    });

    it('is of no use at the other provider, and is nothing that the database could make up', async () => {
      const person = oauth.person({ name: 'Unmistakable Name' });
      const ticket = await oauth.ticket('google', person);
      expect(outcome(await oauth.enter('apple', { ticket, verifier: VERIFIER }))).toEqual([
        401,
        'TICKET_INVALID',
      ]);
      expect(outcome(await oauth.enter('google', { ticket: 'x'.repeat(43), verifier: VERIFIER }))).toEqual([
        401,
        'TICKET_INVALID',
      ]);
      const { rows } = await oauth.system.db.query(
        "SELECT t::text AS text, encode(sealed, 'escape') AS sealed FROM oauth_tickets t",
      );
      const stored = JSON.stringify(rows);
      for (const secret of [ticket, person.email!, person.sub, 'Unmistakable'])
        expect(stored).not.toContain(secret);
    });
  });

  describe("Apple's answer", () => {
    const user = JSON.stringify({
      name: { firstName: 'Grace', lastName: 'Hopper' },
      email: 'somebody-else@example.com',
    });

    /** As Apple's page posts it: the name beside the code, at the first time only. */
    async function posted(form: Record<string, string>, person = oauth.person()) {
      const browser = oauth.browser();
      oauth.apple.person = person;
      const provider = await browser.open(oauth.beginUrl('apple'), isCallback);
      const answer = browser.lastForm();
      expect(provider.url.href).toBe(`${API}/api/v1/auth/oauth/apple/callback`);
      const page = await browser.post(provider.url.href, { ...answer, ...form });
      return { page, ticket: page.fragment.get('ticket')! };
    }

    it('brings the name once, which is kept when the account is opened; the address beside it is not believed', async () => {
      const person = oauth.person();
      const { page, ticket } = await posted({ user }, person);
      expect(page.status).toBe(303);
      const asked = await oauth.enter('apple', { ticket, verifier: VERIFIER });
      expect([...outcome(asked), asked.error.details['suggested']]).toEqual([
        409,
        'REGISTRATION_REQUIRED',
        { email: person.email, displayName: 'Grace Hopper' },
      ]);
      const made = await oauth.enter('apple', { ticket, verifier: VERIFIER, account: oauth.account() });
      expect(made.data.user).toMatchObject({ displayName: 'Grace Hopper', email: person.email });
    });

    it('may have a name that is none', async () => {
      for (const strange of [
        '',
        'x',
        '[]',
        '{"name":null}',
        '{"name":{"firstName":1}}',
        '{"name":{"firstName":"\\u0000"}}',
      ]) {
        const account = oauth.account();
        const { ticket } = await posted({ user: strange });
        const made = await oauth.enter('apple', { ticket, verifier: VERIFIER, account });
        expect([made.status, made.data.user.displayName]).toEqual([200, account['handle']]);
      }
    });

    it('is taken as a form of sane size and nothing else', async () => {
      const url = `${oauth.system.url}/api/v1/auth/oauth/apple/callback`;
      const shoot = async (headers: Record<string, string>, body: string) => {
        const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual' });
        return [answer.status, bodyOf(await answer.text()).error.code];
      };
      const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
      expect(await shoot({ 'Content-Type': 'application/json' }, '{"state":"x"}')).toEqual([
        400,
        'OAUTH_STATE_INVALID',
      ]);
      expect(await shoot(form, 'state=x&code=y')).toEqual([400, 'OAUTH_STATE_INVALID']);
      expect(await shoot(form, '%')).toEqual([400, 'OAUTH_STATE_INVALID']);
      expect(await shoot(form, `state=${'x'.repeat(150_000)}`)).toEqual([413, 'BODY_TOO_LARGE']);
    });
  });
});
