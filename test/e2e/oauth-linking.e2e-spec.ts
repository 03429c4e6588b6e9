import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateSync } from 'otplib';
import { TicketsService } from '../../src/modules/auth/oauth/tickets.service.js';
import { BlindIndex } from '../../src/platform/security/blind-index.js';
import { PASSWORD } from '../support/builders.js';
import { Client } from '../support/client.js';
import { OAuthSystem, outcome, VERIFIER } from '../support/oauth-system.js';

describe('linking a provider', () => {
  let oauth: OAuthSystem;

  beforeAll(async () => {
    oauth = await OAuthSystem.start();
  });
  afterAll(async () => oauth.stop());

  /** Somebody with a password and no provider. */
  async function registered(email = `${randomUUID()}@example.org`): Promise<Client> {
    const body = { ...oauth.account(), email, password: PASSWORD };
    const { status, data } = await oauth.anyone.post('auth/register', body);
    expect(status).toBe(201);
    return new Client(oauth.system.url, data.accessToken, data.user.id);
  }

  const providersOf = async (client: Client) =>
    (await client.get('auth/oauth')).data.map(({ provider }: { provider: string }) => provider) as string[];

  it('never happens by the email alone, however verified, but after signing in with the same proof', async () => {
    for (const by of ['native', 'browser'] as const) {
      const person = oauth.person();
      const owner = await registered(person.email!.toUpperCase());
      const proof =
        by === 'native'
          ? await oauth.native('google', person)
          : { ticket: await oauth.ticket('google', person), verifier: VERIFIER };
      for (const account of [undefined, oauth.account()]) {
        const refused = await oauth.enter('google', { ...proof, ...(account ? { account } : {}) });
        expect([...outcome(refused), refused.error.details]).toEqual([
          409,
          'ACCOUNT_LINK_REQUIRED',
          { email: person.email },
        ]);
      }
      expect(await providersOf(owner)).toEqual([]);
      const linked = await owner.post('auth/oauth/google/link', proof);
      expect([linked.status, linked.data]).toEqual([
        200,
        [
          {
            provider: 'google',
            email: person.email,
            privateRelay: false,
            linkedAt: expect.any(String),
            lastUsedAt: expect.any(String),
          },
        ],
      ]);
      const entered = await oauth.enter('google', await oauth.native('google', person));
      expect([entered.status, entered.data.user.id]).toEqual([200, owner.userId]);
      const { rows } = await oauth.system.db.query(
        "SELECT action, details FROM audit_log WHERE actor_id = $1 AND action LIKE 'oauth.%'",
        [owner.userId],
      );
      expect(rows).toEqual([{ action: 'oauth.linked', details: { provider: 'google' } }]);
    }
  });

  it('asks for a session that was proved a moment ago, as unlinking does, and leaves the proof good', async () => {
    const owner = await registered();
    const begun = oauth.system.now();
    const proof = await oauth.native('google', oauth.person());
    await owner.post('auth/oauth/apple/link', await oauth.native('apple', oauth.person()));
    await oauth.system.moveTo(new Date(begun.getTime() + 601_000));
    const link = async () => outcome(await owner.post('auth/oauth/google/link', proof));
    const unlink = async () => outcome(await owner.call('DELETE', 'auth/oauth/apple'));
    expect(await link()).toEqual([403, 'PROOF_TOO_OLD']);
    expect(await unlink()).toEqual([403, 'PROOF_TOO_OLD']);
    expect(await providersOf(owner)).toEqual(['apple']);
    await owner.post('auth/reauthenticate', { password: PASSWORD });
    expect(await link()).toEqual([200, undefined]);
    expect(await unlink()).toEqual([200, undefined]);
    expect(await providersOf(owner)).toEqual(['google']);
    const { rows } = await oauth.system.db.query(
      "SELECT payload FROM outbox WHERE topic = 'auth.account-changed' AND payload ->> 'userId' = $1 ORDER BY id",
      [owner.userId],
    );
    expect(rows.map(({ payload }) => payload.change)).toEqual([
      'providerLinked',
      'providerLinked',
      'providerUnlinked',
    ]);
    await oauth.system.moveTo(begun);
  });

  it('uses the proof up, and is the same when done again', async () => {
    const owner = await registered();
    const person = oauth.person();
    const proof = await oauth.native('apple', person);
    expect((await owner.post('auth/oauth/apple/link', proof)).status).toBe(200);
    expect(outcome(await owner.post('auth/oauth/apple/link', proof))).toEqual([401, 'ID_TOKEN_USED']);
    expect(outcome(await oauth.enter('apple', proof))).toEqual([401, 'ID_TOKEN_USED']);
    const again = await owner.post('auth/oauth/apple/link', await oauth.native('apple', person));
    expect([again.status, again.data.length]).toEqual([200, 1]);
  });

  it("takes nobody's identity away, and holds one a provider", async () => {
    const [owner, other] = [await registered(), await registered()];
    const [mine, another] = [oauth.person(), oauth.person()];
    await owner.post('auth/oauth/google/link', await oauth.native('google', mine));
    expect(outcome(await other.post('auth/oauth/google/link', await oauth.native('google', mine)))).toEqual([
      409,
      'IDENTITY_TAKEN',
    ]);
    expect(
      outcome(await owner.post('auth/oauth/google/link', await oauth.native('google', another))),
    ).toEqual([409, 'PROVIDER_ALREADY_LINKED']);
    expect((await owner.post('auth/oauth/apple/link', await oauth.native('apple', mine))).status).toBe(200);
    expect(await providersOf(owner)).toEqual(['apple', 'google']);
    expect(await providersOf(other)).toEqual([]);
  });

  it('goes to one of ten who link one identity at once, and gives one identity to who links ten at once', async () => {
    const owners = await Promise.all(Array.from({ length: 10 }, () => registered()));
    const person = oauth.person();
    const race = await Promise.all(
      owners.map(async (owner) => owner.post('auth/oauth/google/link', await oauth.native('google', person))),
    );
    expect(race.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(race.filter(({ error }) => error?.code === 'IDENTITY_TAKEN')).toHaveLength(9);
    const owner = await registered();
    const all = await Promise.all(
      Array.from({ length: 10 }, async () =>
        owner.post('auth/oauth/google/link', await oauth.native('google', oauth.person())),
      ),
    );
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(all.filter(({ error }) => error?.code === 'PROVIDER_ALREADY_LINKED')).toHaveLength(9);
  });

  it('asks for a session and for a good proof', async () => {
    const owner = await registered();
    const proof = await oauth.native('google', oauth.person());
    expect(outcome(await oauth.anyone.post('auth/oauth/google/link', proof))).toEqual([
      401,
      'UNAUTHENTICATED',
    ]);
    expect(outcome(await owner.post('auth/oauth/google/link', { ...proof, nonce: randomUUID() }))).toEqual([
      401,
      'ID_TOKEN_INVALID',
    ]);
    expect(
      outcome(await owner.post('auth/oauth/google/link', { ticket: 'x'.repeat(43), verifier: VERIFIER })),
    ).toEqual([401, 'TICKET_INVALID']);
    expect(outcome(await owner.post('auth/oauth/google/link', {}))).toEqual([400, 'VALIDATION_FAILED']);
    expect(outcome(await owner.post('auth/oauth/facebook/link', proof))).toEqual([404, 'PROVIDER_UNKNOWN']);
    expect(await providersOf(owner)).toEqual([]);
  });

  it('is refused to who was erased while banned, and so is another account', async () => {
    const person = oauth.person();
    const erased = await registered();
    const identity = oauth.system.app.get(BlindIndex).of('google', person.sub);
    await oauth.system.db.query(
      "INSERT INTO barred_identities (identity, user_id, reason, created_at) VALUES ($1, $2, 'ban', now())",
      [identity, erased.userId],
    );
    const proof = await oauth.native('google', person);
    const [owner, users] = [await registered(), await oauth.count('users')];
    expect(outcome(await owner.post('auth/oauth/google/link', proof))).toEqual([403, 'BANNED']);
    expect(outcome(await oauth.enter('google', { ...proof, account: oauth.account() }))).toEqual([
      403,
      'BANNED',
    ]);
    expect([await oauth.count('users'), await providersOf(owner)]).toEqual([users, []]);
  });

  it('does not go around the second factor, which uses the proof up', async () => {
    const person = oauth.person();
    const owner = await oauth.user('google', person);
    const { data } = await owner.post('auth/totp');
    const seconds = () => Math.floor(oauth.system.now().getTime() / 1000);
    const code = generateSync({ secret: data.secret, epoch: seconds() });
    expect((await owner.post('auth/totp/confirm', { code })).status).toBeLessThan(300);
    const proof = await oauth.native('google', person);
    const asked = await oauth.enter('google', proof);
    expect(outcome(asked)).toEqual([401, 'SECOND_FACTOR_REQUIRED']);
    expect(outcome(await oauth.enter('google', proof))).toEqual([401, 'ID_TOKEN_USED']);
    const { challenge } = asked.error.details;
    const next = generateSync({ secret: data.secret, epoch: seconds() + 30 });
    const entered = await oauth.anyone.post('auth/totp/verify', { challenge, code: next });
    expect([entered.status, entered.data.user.id]).toEqual([200, owner.userId]);
  });

  it('wakes an idle session by a new proof of its own user', async () => {
    const person = oauth.person();
    const owner = await oauth.user('google', person);
    const other = oauth.person();
    await oauth.user('google', other);
    const begun = oauth.system.now();
    await oauth.system.moveTo(new Date(begun.getTime() + 1_850_000));
    const { rows } = await oauth.system.db.query<{ id: string }>(
      'SELECT id FROM sessions WHERE user_id = $1',
      [owner.userId],
    );
    const { AccessTokensService } = await import('../../src/modules/auth/access-tokens.service.js');
    const token = await oauth.system.app.get(AccessTokensService).sign(owner.userId, rows[0]!.id, 'user');
    const idle = new Client(oauth.system.url, token, owner.userId);
    const write = async () =>
      outcome(await idle.post('auth/oauth/apple/link', { ticket: 'x'.repeat(43), verifier: VERIFIER }));
    const wake = async (proof: object) => outcome(await idle.post('auth/oauth/google/reauthenticate', proof));
    expect(await write()).toEqual([403, 'REAUTHENTICATION_REQUIRED']);
    expect(await wake(await oauth.native('google', other))).toEqual([404, 'PROVIDER_NOT_LINKED']);
    const proof = await oauth.native('google', person);
    expect(await wake({ ...proof, nonce: randomUUID() })).toEqual([401, 'ID_TOKEN_INVALID']);
    expect(await write()).toEqual([403, 'REAUTHENTICATION_REQUIRED']);
    expect(await wake(proof)).toEqual([200, undefined]);
    expect(await write()).toEqual([401, 'TICKET_INVALID']);
    expect(await wake(proof)).toEqual([401, 'ID_TOKEN_USED']);
    await oauth.system.moveTo(begun);
  });

  it('leaves nothing behind once its time is over', async () => {
    const tables = ['oauth_requests', 'oauth_tickets', 'oauth_used_tokens'];
    await oauth.ticket('google', oauth.person());
    await oauth.through('google', null);
    await oauth.browser().open(oauth.beginUrl('google'), ({ origin }) => origin === oauth.google.issuer);
    const before = await Promise.all(tables.map((table) => oauth.count(table)));
    expect(before.every((rows) => rows > 0)).toBe(true);
    const { forgets } = oauth.system.app.get(TicketsService);
    for (const forget of forgets) expect(await forget(100)).toBe(0);
    const begun = oauth.system.now();
    await oauth.system.moveTo(new Date(begun.getTime() + 2 * 3_600_000));
    for (const forget of forgets) while ((await forget(100)) === 100);
    expect(await Promise.all(tables.map((table) => oauth.count(table)))).toEqual([0, 0, 0]);
    await oauth.system.moveTo(begun);
  });

  describe('and unlinking it', () => {
    const unlink = async (client: Client, provider: string) =>
      outcome(await client.call('DELETE', `auth/oauth/${provider}`));

    it('leaves the other ways in, and the identity free', async () => {
      const owner = await registered();
      const person = oauth.person();
      await owner.post('auth/oauth/google/link', await oauth.native('google', person));
      expect(await unlink(owner, 'google')).toEqual([200, undefined]);
      expect(await unlink(owner, 'google')).toEqual([404, 'PROVIDER_NOT_LINKED']);
      expect(await unlink(owner, 'facebook')).toEqual([404, 'PROVIDER_UNKNOWN']);
      expect(outcome(await oauth.enter('google', await oauth.native('google', person)))).toEqual([
        409,
        'REGISTRATION_REQUIRED',
      ]);
      const other = await registered();
      expect((await other.post('auth/oauth/google/link', await oauth.native('google', person))).status).toBe(
        200,
      );
    });

    it('is refused for the last way in, also when both are unlinked at once', async () => {
      const person = oauth.person();
      const owner = await oauth.user('google', person);
      expect(await unlink(owner, 'google')).toEqual([409, 'LAST_WAY_IN']);
      expect(await providersOf(owner)).toEqual(['google']);
      await owner.post('auth/oauth/apple/link', await oauth.native('apple', oauth.person()));
      const both = await Promise.all([unlink(owner, 'google'), unlink(owner, 'apple')]);
      expect(new Set(both.map(([status]) => status))).toEqual(new Set([200, 409]));
      expect(await providersOf(owner)).toHaveLength(1);
    });
  });
});
