import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateSync } from 'otplib';
import { Builders, PASSWORD } from '../support/builders.js';
import { CapturedMails } from '../support/captured-mails.js';
import { type Answer, Client } from '../support/client.js';
import { lockWaits } from '../support/crash.js';
import { SignUps } from '../support/sign-ups.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Texts } from '../support/texts.js';

const PHONE = '+12015550142';
const MINE = '+12015550143';

describe('a recent proof', () => {
  let system: System;
  let anyone: Client;
  let mails: CapturedMails;
  let texts: Texts;
  let make: Builders;
  let accounts: SignUps;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    anyone = new Client(system.url);
    accounts = new SignUps(system, 'proof');
    mails = new CapturedMails(system);
    texts = new Texts(system);
    make = new Builders(system);
  });
  afterAll(async () => system.stop());

  const codeOf = ({ status, error }: Answer) => (status < 300 ? 'ok' : error.code);
  const totp = (secret: string) => generateSync({ secret, epoch: Math.floor(system.now().getTime() / 1000) });
  const later = async (seconds: number) => system.moveTo(new Date(system.now().getTime() + seconds * 1000));

  const registered = async () => accounts.open();

  async function signedIn(email: string): Promise<Client> {
    const { data } = await anyone.post('auth/login', { email, password: PASSWORD });
    return new Client(system.url, data.accessToken, data.user.id);
  }

  const subjects = (email: string) =>
    mails.sent.filter(({ to }) => to === email).map(({ subject }) => subject);
  const told = async (email: string, subject: RegExp) =>
    eventually(async () => Promise.resolve(subjects(email).some((one) => subject.test(one))));

  /** Rows by which the user could be entered, or that hold their data. */
  async function waysOf({ userId }: Client): Promise<unknown> {
    const { rows } = await system.db.query(
      `SELECT (SELECT count(*)::int FROM user_phones WHERE user_id = $1) AS phones,
              (SELECT count(*)::int FROM otp_challenges WHERE user_id = $1) AS codes,
              (SELECT count(*)::int FROM totp WHERE user_id = $1) AS factors,
              (SELECT count(*)::int FROM data_exports WHERE user_id = $1) AS exports`,
      [userId],
    );
    return rows[0];
  }

  it('is asked for by whatever changes the ways in, and given by the password', async () => {
    const { client } = await registered();
    const challengeId = 'x'.repeat(43);
    const attempts: [string, () => Promise<Answer>][] = [
      ['auth/phone', () => client.post('auth/phone', { phone: PHONE })],
      ['verify', () => client.post('auth/phone/verify', { phone: PHONE, challengeId, code: '000000' })],
      ['totp', () => client.post('auth/totp')],
      ['confirm', () => client.post('auth/totp/confirm', { code: '000000' })],
      ['recovery codes', () => client.post('auth/totp/recovery-codes', { code: '000000' })],
      ['google', () => client.call('DELETE', 'auth/oauth/google')],
      ['export', () => client.post('users/me/export')],
      ['look at the export', () => client.get('users/me/export')],
    ];
    await later(601);
    const none = { phones: 0, codes: 0, factors: 0, exports: 0 };
    for (const [what, attempt] of attempts) {
      const { status, error } = await attempt();
      expect([what, status, error.code, error.details]).toEqual([
        what,
        403,
        'PROOF_TOO_OLD',
        { minutes: 10 },
      ]);
    }
    expect(await waysOf(client)).toEqual(none);
    expect(codeOf(await client.post('auth/reauthenticate', { password: PASSWORD }))).toBe('ok');
    for (const [what, attempt] of attempts)
      expect([what, codeOf(await attempt())]).not.toContain('PROOF_TOO_OLD');
    expect(await waysOf(client)).toEqual({ phones: 0, codes: 1, factors: 1, exports: 1 });
  });

  it('of a session that ends meanwhile is none', async () => {
    const { client } = await registered();
    const { data } = await client.post('auth/totp');
    const lock = await system.db.connect();
    try {
      await lock.query('BEGIN');
      await lock.query('SELECT FROM users WHERE id = $1 FOR UPDATE', [client.userId]);
      const confirmed = client.post('auth/totp/confirm', { code: totp(data.secret) });
      await eventually(async () => (await lockWaits(system)) > 0);
      await lock.query(
        "UPDATE sessions SET ended_at = created_at, end_reason = 'logout' WHERE user_id = $1",
        [client.userId],
      );
      await lock.query('COMMIT');
      expect(codeOf(await confirmed)).toBe('SESSION_ENDED');
    } finally {
      lock.release();
    }
    const { rows } = await system.db.query('SELECT confirmed_at FROM totp WHERE user_id = $1', [
      client.userId,
    ]);
    expect(rows).toEqual([{ confirmed_at: null }]);
  });

  it('leaves no other session to who turns the second factor on', async () => {
    const { email, client: thief } = await registered();
    const owner = await signedIn(email);
    const { data } = await owner.post('auth/totp');
    expect(codeOf(await owner.post('auth/totp/confirm', { code: totp(data.secret) }))).toBe('ok');
    expect(codeOf(await thief.get('auth/sessions'))).toBe('SESSION_ENDED');
    expect((await owner.get('auth/sessions')).data).toHaveLength(1);
  });

  it('or not, the owner is told by mail of what has changed, and of who used a recovery code', async () => {
    const { email, client } = await registered();
    const asked = await client.post('auth/phone', { phone: MINE });
    const [code] = await texts.codes(MINE);
    const proof = { phone: MINE, code, challengeId: asked.data.challengeId };
    expect(codeOf(await client.post('auth/phone/verify', proof))).toBe('ok');
    await told(email, /telephone number was added/);

    const { data } = await client.post('auth/totp');
    const { recoveryCodes } = (await client.post('auth/totp/confirm', { code: totp(data.secret) })).data;
    await told(email, /second factor .* on$/);
    await later(30);
    await client.post('auth/totp/recovery-codes', { code: recoveryCodes[0] });
    await told(email, /recovery code .* used/);
    await told(email, /recovery codes .* replaced/);
    await client.call('DELETE', 'auth/totp', { body: { code: totp(data.secret) } });
    await told(email, /second factor .* off$/);
    for (const { text } of mails.sent.filter(({ to }) => to === email)) expect(text).not.toContain(MINE);
  });

  describe('of an admin', () => {
    it('takes a lost second factor away, and nobody else does', async () => {
      const admin = await make.admin();
      const { email, client } = await registered();
      const remove = async (by: Client, id = client.userId) =>
        codeOf(await by.call('DELETE', `admin/users/${id}/totp`));
      const { data } = await client.post('auth/totp');
      expect(await remove(admin)).toBe('TOTP_NOT_ON');
      await client.post('auth/totp/confirm', { code: totp(data.secret) });
      expect(await remove(client)).toBe('FORBIDDEN');
      expect(await remove(admin, admin.userId)).toBe('NOT_YOURS_TO_JUDGE');
      expect(await remove(admin, '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e')).toBe('USER_NOT_FOUND');
      await later(601);
      expect(await remove(admin)).toBe('PROOF_TOO_OLD');
      expect(codeOf(await admin.post('auth/reauthenticate', { password: PASSWORD }))).toBe('ok');

      expect(await remove(admin)).toBe('ok');
      expect(codeOf(await client.get('auth/sessions'))).toBe('SESSION_ENDED');
      expect(codeOf(await (await signedIn(email)).get('auth/sessions'))).toBe('ok');
      const { rows } = await system.db.query(
        `SELECT actor_id, details, (SELECT count(*)::int FROM totp_recovery_codes WHERE user_id::text = $1) AS codes,
                (SELECT min(end_reason) FROM sessions WHERE user_id::text = $1) AS reason
         FROM audit_log WHERE action = 'user.second-factor-removed' AND subject_id = $1`,
        [client.userId],
      );
      expect(rows).toEqual([
        { actor_id: admin.userId, details: {}, codes: 0, reason: 'second_factor_removed' },
      ]);
      await told(email, /second factor .* removed/);
      expect(await remove(admin)).toBe('TOTP_NOT_ON');
    });

    it('is asked for by roles and bans, whatever the operation, and not by a warning', async () => {
      const admin = await make.admin();
      const { email, client } = await registered();
      const { client: reporter } = await registered();
      const { data: report } = await reporter.post(`users/${client.userId}/report`, { reason: 'spam' });
      const change = async (body: object) =>
        codeOf(
          await admin.call('PATCH', `admin/users/${client.userId}`, { body: { reason: 'fraud', ...body } }),
        );
      const decide = async (body: object) =>
        codeOf(await admin.post(`admin/reports/${report.id}/decide`, { note: 'seen', ...body }));
      const standing = async () =>
        (await system.db.query('SELECT role, status FROM users WHERE id = $1', [client.userId])).rows;
      await later(601);
      const asking = [
        () => change({ role: 'moderator' }),
        () => change({ status: 'banned' }),
        () => change({ status: 'active' }),
        () => decide({ decision: 'ban', banDays: 3 }),
      ];
      for (const ask of asking) expect(await ask()).toBe('PROOF_TOO_OLD');
      expect(await standing()).toEqual([{ role: 'user', status: 'active' }]);

      expect(await decide({ decision: 'warn' })).toBe('ok');
      await told(email, /^A warning from our moderators$/);
      const [warning] = mails.sent.filter(
        ({ to, subject }) => to === email && subject.startsWith('A warning'),
      );
      expect(warning!.text).not.toMatch(/seen|spam|choose a new password/);

      expect(codeOf(await admin.post('auth/reauthenticate', { password: PASSWORD }))).toBe('ok');
      for (const ask of asking) expect([await ask()]).not.toContain('PROOF_TOO_OLD');
      expect(await change({ status: 'banned' })).toBe('ok');
      expect(await standing()).toEqual([{ role: 'moderator', status: 'banned' }]);
    });
  });
});
