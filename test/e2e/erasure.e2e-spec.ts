import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PhonesService } from '../../src/modules/auth/otp/phones.service.js';
import { SessionsService } from '../../src/modules/auth/sessions.service.js';
import { ComplianceService } from '../../src/modules/compliance/compliance.service.js';
import { ErasureService } from '../../src/modules/users/privacy/erasure.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { BlindIndex } from '../../src/platform/security/blind-index.js';
import { Builders, unbalanced } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { eventually, type System } from '../support/system.js';
import { tracesInDatabase, tracesInRedis } from '../support/traces.js';

const WEEK = 202340;
const DAY = 86_400_000;
const WORD = 'zqmarker';
const PASSWORD = 'correct horse battery 7';
const BIRTH_DATE = '1987-06-05';
const PHONE = '+14155550123';

describe('closing an account', () => {
  let system: System;
  let make: Builders;
  let anyone: Client;
  let count = 0;

  beforeAll(async () => {
    system = await startSystemWithRules({}, { at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    anyone = new Client(system.url);
    await make.week(WEEK, { group: false });
  });
  afterAll(async () => system.stop());

  const outcome = ({ status, error }: Answer) => [status, error?.code];
  const inDays = (days: number) => new Date(system.now().getTime() + days * DAY);
  const close = (client: Client, body: object = { password: PASSWORD }) =>
    client.call('DELETE', 'users/me', { body });

  async function register(
    over: Record<string, unknown> = {},
  ): Promise<{ body: { email: string; handle: string }; client: Client }> {
    count += 1;
    const body = {
      email: `closing${count}@example.com`,
      password: PASSWORD,
      handle: `closing_${count}`,
      birthDate: BIRTH_DATE,
      termsVersion: '2026-11',
      ...over,
    };
    const { status, data } = await anyone.post('auth/register', body, {
      headers: { 'User-Agent': `${WORD} agent`, 'X-Device-Fingerprint': `${WORD}-print` },
    });
    expect(status).toBe(201);
    return { body, client: new Client(system.url, data.accessToken, data.user.id) };
  }

  async function statusOf(userId: string): Promise<string> {
    const { rows } = await system.db.query('SELECT status FROM users WHERE id = $1', [userId]);
    return rows[0].status;
  }

  async function erased(userId: string): Promise<void> {
    await eventually(async () => (await statusOf(userId)) === 'erased');
  }

  async function signIn({ email }: { email: string }): Promise<Answer> {
    return await anyone.post('auth/login', { email, password: PASSWORD });
  }

  it('asks for the password, or else for a proof of late, and changes nothing without', async () => {
    const { client, body } = await register();
    expect(outcome(await close(client, {}))).toEqual([400, 'VALIDATION_FAILED']);
    expect(outcome(await close(client, { password: 'not the password' }))).toEqual([403, 'PASSWORD_WRONG']);
    const [bare] = (await make.players(1)) as [Client];
    await system.db.query(
      "UPDATE sessions SET created_at = created_at - interval '11 minutes' WHERE user_id = $1",
      [bare.userId],
    );
    expect(outcome(await close(bare, {}))).toEqual([403, 'PROOF_TOO_OLD']);
    const { rows } = await system.db.query('SELECT FROM users WHERE closing_at IS NOT NULL');
    expect([rows.length, (await client.get('me')).status, (await bare.get('me')).status]).toEqual([
      0, 200, 200,
    ]);
    expect((await signIn(body)).data.user.closingAt).toBeUndefined();
  });

  it('ends all sessions, and for 30 days signing in shows the day and takes it back', async () => {
    const { client, body } = await register();
    const other = await signIn(body);
    const { status, data } = await close(client);
    expect([status, Math.round((Date.parse(data.closingAt) - system.now().getTime()) / DAY)]).toEqual([
      200, 30,
    ]);
    for (const token of [client.token, other.data.accessToken])
      expect(outcome(await anyone.get('me', { token }))).toEqual([401, 'SESSION_ENDED']);
    expect(outcome(await anyone.post('auth/refresh', { refreshToken: other.data.refreshToken }))).toEqual([
      401,
      'REFRESH_TOKEN_INVALID',
    ]);

    const back = await signIn(body);
    expect([back.status, back.data.user.closingAt]).toEqual([200, data.closingAt]);
    const returned = new Client(system.url, back.data.accessToken, back.data.user.id);
    await system.moveTo(inDays(1));
    expect((await close(returned)).data).toEqual(data); // the first day holds
    const again = new Client(system.url, (await signIn(body)).data.accessToken, returned.userId);
    expect((await again.post('users/me/restore')).status).toBe(200);
    expect(outcome(await again.post('users/me/restore'))).toEqual([409, 'ACCOUNT_NOT_CLOSING']);
    await system.moveTo(inDays(31));
    await eventually(async () => {
      const { rows } = await system.db.query(
        "SELECT done_at FROM deadlines WHERE kind = 'users.erase' AND subject = $1",
        [returned.userId],
      );
      return rows[0].done_at;
    });
    expect(await statusOf(returned.userId)).toBe('active');
    expect((await signIn(body)).status).toBe(200);
  });

  it('without a password needs a session proved in the last minutes', async () => {
    const [bare] = (await make.players(1)) as [Client];
    const { status } = await close(bare, {});
    expect([status, (await bare.get('me')).status]).toEqual([200, 401]);
  });

  it('erases every trace of the person, and keeps the books under a pseudonym', async () => {
    const [friend, fan] = (await make.players(2)) as [Client, Client];
    const admin = await make.admin();
    const email = `${WORD}@example.com`;
    const { client, body } = await register({
      email,
      handle: `${WORD}_handle`,
      displayName: `${WORD} Name`,
    });
    const { userId } = client;
    await fill(client, friend, admin);
    await meet(client, fan);
    const words = [WORD, BIRTH_DATE, PHONE, PHONE.slice(1), await phoneIndex()];
    const told = (await tracesInDatabase(system, words)).map((trace) => trace.split(':')[0]!);
    expect(new Set(told)).toEqual(
      new Set([
        'devices',
        'handle_reservations',
        'idempotency_keys',
        'oauth_identities',
        'otp_challenges',
        'profiles',
        'reports',
        'sessions',
        'user_phones',
        'users',
      ]),
    );

    const { rows: auditBefore } = await system.db.query('SELECT id FROM audit_log WHERE actor_id = $1', [
      userId,
    ]);
    expect((await close(client)).status).toBe(200);
    await system.moveTo(inDays(30));
    await erased(userId);
    // Of those registered in this file nobody else may carry the words.
    await system.db.query("UPDATE users SET birth_date = '1990-01-01' WHERE status <> 'erased'");
    await system.db.query(
      'UPDATE sessions SET user_agent = NULL, device = NULL, fingerprint = NULL WHERE user_id <> $1',
      [userId],
    );
    for (const { user_id: other } of (await system.db.query('SELECT DISTINCT user_id FROM sessions')).rows)
      if (other !== userId) await system.app.get(SessionsService).rereadAll(other);
    await eventually(async () => (await system.db.query('SELECT FROM outbox')).rowCount === 0);
    expect(await tracesInDatabase(system, words)).toEqual([]);
    expect(await tracesInRedis(system, words)).toEqual([]);

    const { rows } = await system.db.query('SELECT * FROM users WHERE id = $1', [userId]);
    expect(rows[0]).toMatchObject({
      email: null,
      display_name: 'Deleted user',
      handle: expect.stringMatching(/^deleted_[0-9a-f]{12}$/),
      role: 'user',
      status: 'erased',
      closing_at: null,
    });
    const { rows: audit } = await system.db.query('SELECT id FROM audit_log WHERE actor_id = $1', [userId]);
    expect(audit).toEqual(expect.arrayContaining(auditBefore));
    const { rows: bets } = await system.db.query('SELECT FROM bets WHERE user_id = $1', [userId]);
    expect([bets.length, await unbalanced(system)]).toEqual([1, []]);
    expect(outcome(await signIn({ email }))).toEqual([401, 'INVALID_CREDENTIALS']);
    expect((await client.get('me')).status).toBe(401);

    const { rows: counts } = await system.db.query(
      'SELECT followers, following FROM social_counts WHERE user_id = $1',
      [fan.userId],
    );
    expect(counts).toEqual([{ followers: 0, following: 0 }]);
    for (const table of ['follows', 'blocks', 'mutes', 'contacts'])
      expect((await system.db.query(`SELECT FROM ${table}`)).rowCount).toBe(0);
    expect((await fan.get(`users/${body.handle}`)).status).toBe(404);

    const anew = await register({ email, handle: body.handle });
    expect(anew.client.userId).not.toBe(userId);
    await system.app.get(ErasureService).eraseIfDue(userId); // and once more, to no effect
    expect(await statusOf(userId)).toBe('erased');
  });

  /** Unmistakable values in every place that the person can reach, and in what others say of them. */
  async function fill(client: Client, friend: Client, admin: Client): Promise<void> {
    const { userId } = client;
    const own = async (sql: string, ...values: unknown[]) => {
      await system.db.query(sql, [userId, ...values]);
    };
    await play(client);
    expect(
      (
        await client.post('devices', {
          platform: 'ios',
          token: `${WORD}-token`,
          appVersion: WORD,
          locale: 'en',
        })
      ).status,
    ).toBe(201);
    await client.post(`users/${friend.userId}/report`, { reason: 'other', note: `${WORD} tells` });
    await friend.post(`users/${userId}/report`, { reason: 'spam', note: `about ${WORD}` });
    await client.post(`users/${friend.userId}/follow`);
    await friend.post(`users/${userId}/follow`);
    await friend.post(`users/${userId}/block`);
    await client.post('users/me/export');
    await own(
      "UPDATE profiles SET bio = $2, avatar_url = $3, country = 'FR', favourite_sports = ARRAY[$2::text] WHERE user_id = $1",
      `${WORD} bio`,
      `https://example.com/${WORD}.png`,
    );
    await own(
      "INSERT INTO handle_reservations (handle, user_id, until) VALUES ($2, $1, now() + interval '400 days')",
      `${WORD}_before`,
    );
    await own(
      `INSERT INTO oauth_identities (provider, subject, user_id, email, email_verified, private_relay, linked_at, last_used_at)
       VALUES ('google', $2, $1, $3, true, false, now(), now())`,
      `${WORD}-subject`,
      `${WORD}@gmail.example`,
    );
    await system.app.get(UnitOfWork).run(async (manager) => {
      const index = system.app.get(BlindIndex).of('phone', PHONE);
      await system.app.get(PhonesService).put(manager, userId, { e164: PHONE, index });
    });
    await anyone.post('auth/otp/send', { phone: PHONE });
    expect((await admin.get(`admin/users?q=${WORD}`)).status).toBeLessThan(500);
    await eventually(async () => (await client.get('users/me/export')).data.status === 'ready');
  }

  /** Both follow each other, one mutes, they are contacts; and the profile has been looked at. */
  async function meet(client: Client, fan: Client): Promise<void> {
    for (const [one, other] of [
      [client, fan],
      [fan, client],
    ] as const)
      expect((await one.post(`users/${other.userId}/follow`)).status).toBeLessThan(300);
    expect((await fan.post(`users/${client.userId}/mute`)).status).toBeLessThan(300);
    expect((await fan.post('contacts/request', { userId: client.userId })).status).toBeLessThan(300);
    expect((await fan.get(`users/${WORD}_handle`)).data.handle).toBe(`${WORD}_handle`);
    expect((await fan.get(`users?q=${WORD}`)).data).toHaveLength(1);
  }

  /** A bet under a key that tells a name, settled. */
  async function play(client: Client): Promise<void> {
    await system.db.query(
      `INSERT INTO bets (id, week_id, pool_id, user_id, game_id, market_id, odds_id, outcome, price_num, price_den, stake,
                         potential_payout, status, payout, settlement_id, placed_at)
       VALUES (nextval('bet_id_seq'), $2, $3, $1, $3, $3, $3, 'home', 2, 1, 50, 100, 'void', 50, $3, now())`,
      [client.userId, WEEK, randomUUID()],
    );
    await system.db.query(
      `INSERT INTO pool_members (pool_id, user_id, week_id, draw_position, balance, starting, staked, paid_out, bets_placed)
       SELECT pool_id, user_id, week_id, 1, 1000, 1000, 50, 50, 1 FROM bets WHERE user_id = $1`,
      [client.userId],
    );
    await system.db.query(
      `INSERT INTO idempotency_keys (user_id, operation, key, body_hash, status, response)
       VALUES ($1, 'bets.place', $2, '\\x00', 201, jsonb_build_object('note', $2::text))`,
      [client.userId, `${WORD}-key`],
    );
  }

  async function phoneIndex(): Promise<string> {
    return system.app.get(BlindIndex).of('phone', PHONE).toString('hex');
  }

  it('is put off while a bet is open', async () => {
    const { client } = await register();
    await play(client);
    await system.db.query('UPDATE pool_members SET bets_open = 1 WHERE user_id = $1', [client.userId]);
    await system.db.query(
      `INSERT INTO week_entries (user_id, week_id, pool_id, draw_position)
       SELECT user_id, week_id, pool_id, 1 FROM pool_members WHERE user_id = $1`,
      [client.userId],
    );
    await close(client);
    await system.moveTo(inDays(30));
    await eventually(async () => {
      const { rows } = await system.db.query(
        "SELECT details FROM audit_log WHERE action = 'user.erasure-postponed' AND subject_id = $1",
        [client.userId],
      );
      return rows.length === 1 && rows[0].details.open[0] === 'open_bets';
    });
    expect(await statusOf(client.userId)).toBe('active');
    await system.db.query('UPDATE pool_members SET bets_open = 0 WHERE user_id = $1', [client.userId]);
    await system.moveTo(inDays(1));
    await erased(client.userId);
  });

  it('does not end an exclusion: nobody opens an account with the same address until it is over', async () => {
    const { client, body } = await register();
    const until = inDays(100);
    await system.app.get(ComplianceService).exclude(client.userId, until);
    await close(client);
    await system.moveTo(inDays(30));
    await erased(client.userId);
    const { rows } = await system.db.query('SELECT * FROM barred_identities WHERE user_id = $1', [
      client.userId,
    ]);
    expect(rows).toEqual([expect.objectContaining({ reason: 'self_exclusion', ends_at: until })]);

    const again = { ...body, email: body.email.toUpperCase() };
    expect(outcome(await anyone.post('auth/register', again))).toEqual([409, 'EMAIL_TAKEN']);
    await system.moveTo(inDays(71));
    expect(outcome(await anyone.post('auth/register', again))).toEqual([201, undefined]);
  });

  it('does not end a ban: nobody opens an account with the same address', async () => {
    const { client, body } = await register();
    await close(client);
    await system.db.query("UPDATE users SET status = 'banned', ban_reason = 'fraud' WHERE id = $1", [
      client.userId,
    ]);
    await system.moveTo(inDays(30));
    await erased(client.userId);
    const refused = await anyone.post('auth/register', body);
    expect(outcome(refused)).toEqual([409, 'EMAIL_TAKEN']); // whose it was is told to nobody who has not proved it
    expect((await anyone.post('auth/register', { ...body, email: 'another@example.com' })).status).toBe(201);
  });
});
