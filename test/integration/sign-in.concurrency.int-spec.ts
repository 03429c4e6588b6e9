import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateSync } from 'otplib';
import type { PoolClient } from 'pg';
import { Builders, PASSWORD } from '../support/builders.js';
import { CapturedMails } from '../support/captured-mails.js';
import { type Answer, Client } from '../support/client.js';
import { lockWaits } from '../support/crash.js';
import { type SignedUp, SignUps } from '../support/sign-ups.js';
import { someone } from '../support/staff.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Texts } from '../support/texts.js';

const NEW_PASSWORD = 'staple battery horse';

/** What somebody else does to an account while a sign-in waits for its lock. */
const MEANWHILE: Record<string, string> = {
  number: `INSERT INTO user_phones (user_id, number, number_index, verified_at)
           SELECT $1, '\\x01'::bytea || sha256('number'), sha256('index'), now()`,
  SECOND_FACTOR_REQUIRED: `INSERT INTO totp (user_id, secret, created_at, confirmed_at, last_step)
                           SELECT $1, '\\x01'::bytea || sha256('secret'), now(), now(), 1`,
  INVALID_CREDENTIALS: "UPDATE credentials SET password_hash = 'another' WHERE user_id = $1",
};

/** Sign-ins that are held up at one table or another while something happens to their account. */
describe('a sign-in in flight', () => {
  let system: System;
  let mails: CapturedMails;
  let texts: Texts;
  let anyone: Client;
  let admin: Client;
  let accounts: SignUps;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    mails = new CapturedMails(system);
    texts = new Texts(system);
    anyone = new Client(system.url);
    accounts = new SignUps(system, 'flight');
    admin = await someone(system, new Builders(system), 'admin');
  });
  afterAll(async () => system.stop());

  const codeOf = ({ status, error }: Answer) => (status < 300 ? 'ok' : error.code);
  const login = ({ email }: Pick<SignedUp, 'email' | 'client'>, password = PASSWORD) =>
    anyone.post('auth/login', { email, password });
  const totp = (secret: string) => generateSync({ secret, epoch: Math.floor(system.now().getTime() / 1000) });
  const later = (ms: number) => system.moveTo(new Date(system.now().getTime() + ms));

  async function secretOf({ client }: Pick<SignedUp, 'email' | 'client'>): Promise<string> {
    const { data } = await client.post('auth/totp');
    expect(codeOf(await client.post('auth/totp/confirm', { code: totp(data.secret) }))).toBe('ok');
    await later(30_000);
    return data.secret;
  }

  async function forgotten({ email }: Pick<SignedUp, 'email' | 'client'>): Promise<() => Promise<Answer>> {
    await anyone.post('auth/password/forgot', { email });
    const mail = await eventually(async () =>
      Promise.resolve(
        mails.sent.findLast(({ to, subject }) => to === email && /new password/i.test(subject)),
      ),
    );
    const token = /#token=([\w-]+)/.exec(mail.text)![1]!;
    return async () => anyone.post('auth/password/reset', { token, password: NEW_PASSWORD });
  }

  const change = ({ client }: Pick<SignedUp, 'email' | 'client'>, body: object) =>
    admin.call('PATCH', `admin/users/${client.userId}`, { body });
  const ban = (person: Pick<SignedUp, 'email' | 'client'>) =>
    change(person, { status: 'banned', reason: 'fraud' });

  /** Nothing gets past the table until `release`. */
  async function shut(table: string): Promise<() => Promise<void>> {
    const connection: PoolClient = await system.db.connect();
    await connection.query(`BEGIN; LOCK TABLE ${table} IN EXCLUSIVE MODE`);
    return async () => {
      await connection.query('COMMIT');
      connection.release();
    };
  }

  /** Until so many wait for a lock, in a statement that has these words: mails of the registration may wait for a user as well. */
  const waiting = (n: number, words = '') => eventually(async () => (await lockWaits(system, words)) >= n);

  async function liveSessionsOf({ client }: Pick<SignedUp, 'email' | 'client'>): Promise<number> {
    const { rows } = await system.db.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM sessions WHERE user_id = $1 AND ended_at IS NULL',
      [client.userId],
    );
    return rows[0]!.n;
  }

  /** Lets `first` come as far as the table, then `second` as far as a lock, and then both go on. */
  async function overtaken<A, B>(
    table: string,
    first: () => Promise<A>,
    second: () => Promise<B>,
  ): Promise<[A, B]> {
    const release = await shut(table);
    const one = first();
    await waiting(1);
    const other = second();
    await Promise.race([waiting(2), other]); // what waits for nothing is done
    await release();
    return await Promise.all([one, other]);
  }

  it.each(['refresh_tokens', 'sessions'])(
    'is ended by a ban that comes while it waits for %s',
    async (table) => {
      const person = await accounts.open();
      const [signedIn, banned] = await overtaken(
        table,
        () => login(person),
        () => ban(person),
      );
      expect([codeOf(signedIn), codeOf(banned)]).toEqual(['ok', 'ok']);
      expect(await liveSessionsOf(person)).toBe(0);
      const session = new Client(system.url, signedIn.data.accessToken);
      expect(codeOf(await session.get('users/me'))).toBe('SESSION_ENDED');
    },
  );

  it('that starts before a ban has committed is refused', async () => {
    const person = await accounts.open();
    const [banned, signedIn] = await overtaken(
      'devices',
      () => ban(person),
      () => login(person),
    );
    expect([codeOf(banned), codeOf(signedIn)]).toEqual(['ok', 'BANNED']);
    expect(await liveSessionsOf(person)).toBe(0);
  });

  it('that starts before a demotion has committed opens a session of the lower role', async () => {
    const person = await accounts.open();
    await system.db.query("UPDATE users SET role = 'admin' WHERE id = $1", [person.client.userId]);
    const [demoted, signedIn] = await overtaken(
      'devices',
      () => change(person, { role: 'user', reason: 'staffing' }),
      () => login(person),
    );
    expect([codeOf(demoted), codeOf(signedIn)]).toEqual(['ok', 'ok']);
    expect(signedIn.data.user.role).toBe('user');
    const session = new Client(system.url, signedIn.data.accessToken);
    expect(codeOf(await session.get('admin/users'))).toBe('FORBIDDEN');
  });

  it('by the second factor is ended by a reset that comes while it waits', async () => {
    const person = await accounts.open();
    await system.db.query('UPDATE users SET email_verified_at = now() WHERE id = $1', [person.client.userId]);
    const secret = await secretOf(person);
    const { error } = await login(person);
    const challenge = error.details['challenge'];
    const reset = await forgotten(person);
    const [verified, done] = await overtaken(
      'refresh_tokens',
      () => anyone.post('auth/totp/verify', { challenge, code: totp(secret) }),
      reset,
    );
    expect([codeOf(verified), codeOf(done)]).toEqual(['ok', 'ok']);
    expect(await liveSessionsOf(person)).toBe(0);
  });

  it('by the second factor is refused after a reset, the challenge of a moment ago among them', async () => {
    const person = await accounts.open();
    await system.db.query('UPDATE users SET email_verified_at = now() WHERE id = $1', [person.client.userId]);
    const secret = await secretOf(person);
    const { error } = await login(person);
    const challenge = error.details['challenge'];
    const reset = await forgotten(person);
    const [done, verified] = await overtaken('devices', reset, () =>
      anyone.post('auth/totp/verify', { challenge, code: totp(secret) }),
    );
    expect([codeOf(done), codeOf(verified)]).toEqual(['ok', 'CHALLENGE_INVALID']);
    expect(await liveSessionsOf(person)).toBe(0);
  });

  it('by a number that is being taken from the account is refused', async () => {
    const person = await accounts.open();
    const phone = '+12015550123';
    const asked = await person.client.post('auth/phone', { phone });
    const [added] = await texts.codes(phone);
    const proof = { phone, challengeId: asked.data.challengeId, code: added };
    expect(codeOf(await person.client.post('auth/phone/verify', proof))).toBe('ok');
    await later(60_000);
    const sent = await anyone.post('auth/otp/send', { phone });
    const code = (await texts.codes(phone, 2)).at(-1);
    const reset = await forgotten(person);
    const [done, signedIn] = await overtaken('devices', reset, () =>
      anyone.post('auth/otp/verify', { phone, challengeId: sent.data.challengeId, code }),
    );
    expect([codeOf(done), codeOf(signedIn)]).toEqual(['ok', 'OTP_INVALID']);
    expect(await liveSessionsOf(person)).toBe(0);
  });

  it.each([
    ['opens a session for a number that was added meanwhile, and the number knows the device too', null],
    ['asks for a second factor that was turned on meanwhile', 'SECOND_FACTOR_REQUIRED'],
    ['is refused with a password that was changed meanwhile', 'INVALID_CREDENTIALS'],
  ])('that waits for its user %s', async (_, refusal) => {
    const person = await accounts.open();
    const { userId } = person.client;
    const before = await countsOf(userId);
    const connection = await system.db.connect();
    await connection.query('BEGIN');
    await connection.query('SELECT FROM users WHERE id = $1 FOR UPDATE', [userId]);
    const signingIn = login(person);
    await waiting(1, 'FROM sign_in(');
    await connection.query(MEANWHILE[refusal ?? 'number']!, [userId]);
    await connection.query('COMMIT');
    connection.release();
    const answer = await signingIn;
    expect(codeOf(answer)).toBe(refusal ?? 'ok');
    const { sessions, devices, challenges, pending } = await countsOf(userId);
    expect(sessions - before.sessions).toBe(refusal === null ? 1 : 0);
    expect(devices - before.devices).toBe(refusal === null ? 2 : 0);
    expect(challenges).toBe(refusal === 'SECOND_FACTOR_REQUIRED' ? 1 : 0);
    expect(pending).toBe(0); // however it ended, the attempt under which the password was compared is finished
  });

  /** What the user has, and the attempts at any password that are still being compared. */
  async function countsOf(
    userId: string,
  ): Promise<{ sessions: number; devices: number; challenges: number; pending: number }> {
    const { rows } = await system.db.query(
      `SELECT (SELECT count(*)::int FROM sessions WHERE user_id = $1) AS sessions,
              (SELECT count(*)::int FROM known_devices WHERE user_id = $1) AS devices,
              (SELECT count(*)::int FROM second_factor_challenges WHERE user_id = $1) AS challenges,
              (SELECT coalesce(sum(pending), 0)::int FROM attempt_counters) AS pending`,
      [userId],
    );
    return rows[0]!;
  }

  it('is ended by ending all sessions, that of who asked as well', async () => {
    const person = await accounts.open();
    const [signedIn, ended] = await overtaken(
      'refresh_tokens',
      () => login(person),
      () => person.client.post('auth/logout-all'),
    );
    expect([codeOf(signedIn), codeOf(ended)]).toEqual(['ok', 'ok']);
    expect(await liveSessionsOf(person)).toBe(0);
  });

  it('neither locks up with bans, resets and changes of the password nor outlives the last of them', async () => {
    const before = await deadlocks();
    for (let round = 0; round < 3; round += 1) {
      const person = await accounts.open();
      const secret = await secretOf(person);
      const { error } = await login(person);
      const proof = { challenge: error.details['challenge'], code: totp(secret) };
      const reset = await forgotten(person);
      const answers = await Promise.all([
        ...Array.from({ length: 6 }, () => login(person)),
        ...Array.from({ length: 2 }, () => anyone.post('auth/totp/verify', proof)),
        reset(),
        ban(person),
        person.client.post('auth/password/change', {
          currentPassword: PASSWORD,
          newPassword: 'another long phrase',
        }),
        ...Array.from({ length: 8 }, () => login(person)),
      ]);
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
      expect(codeOf(answers[9]!)).toBe('ok');
      expect(await liveSessionsOf(person)).toBe(0);
    }
    expect(await deadlocks()).toBe(before);
  });

  async function deadlocks(): Promise<number> {
    await system.db.query('SELECT pg_stat_force_next_flush()');
    const { rows } = await system.db.query<{ n: number }>(
      'SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()',
    );
    return rows[0]!.n;
  }
});
