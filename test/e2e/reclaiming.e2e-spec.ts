import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateSync } from 'otplib';
import { AdminsService } from '../../src/modules/auth/admins.service.js';
import { PASSWORD } from '../support/builders.js';
import { CapturedMails } from '../support/captured-mails.js';
import { type Answer, Client } from '../support/client.js';
import { SignUps } from '../support/sign-ups.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Texts } from '../support/texts.js';

const OWNERS = 'staple battery horse';
const REMOVED = 'Ways to sign in were removed from your account';

describe('an account that was opened with an address of another', () => {
  let system: System;
  let mails: CapturedMails;
  let texts: Texts;
  let anyone: Client;
  let accounts: SignUps;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    mails = new CapturedMails(system);
    texts = new Texts(system);
    anyone = new Client(system.url);
    accounts = new SignUps(system, 'owner');
  });
  afterAll(async () => system.stop());

  const codeOf = ({ status, error }: Answer) => (status < 300 ? 'ok' : error.code);
  const totp = (secret: string) => generateSync({ secret, epoch: Math.floor(system.now().getTime() / 1000) });
  const later = (ms: number) => system.moveTo(new Date(system.now().getTime() + ms));
  const login = (email: string, password: string) => anyone.post('auth/login', { email, password });

  const verifiedOn = async (email: string) =>
    void (await system.db.query('UPDATE users SET email_verified_at = parley_now() WHERE email = $1', [
      email,
    ]));

  /** A telephone, a provider and a second factor. */
  async function addWaysIn(client: Client, phone: string): Promise<void> {
    const { challengeId } = (await client.post('auth/phone', { phone })).data;
    const [code] = await texts.codes(phone);
    expect(codeOf(await client.post('auth/phone/verify', { phone, challengeId, code }))).toBe('ok');
    await system.db.query(
      `INSERT INTO oauth_identities (provider, subject, user_id, email_verified, private_relay, linked_at, last_used_at)
       VALUES ('google', $1::text, $1::uuid, false, false, now(), now())`,
      [client.userId],
    );
    const { data } = await client.post('auth/totp');
    expect(codeOf(await client.post('auth/totp/confirm', { code: totp(data.secret) }))).toBe('ok');
    await later(60_000);
  }

  async function reset(email: string): Promise<void> {
    await anyone.post('auth/password/forgot', { email });
    const mail = await eventually(async () =>
      Promise.resolve(
        mails.sent.findLast(({ to, text }) => to === email && text.includes('/reset-password')),
      ),
    );
    const token = /#token=([\w-]+)/.exec(mail.text)![1]!;
    expect(codeOf(await anyone.post('auth/password/reset', { token, password: OWNERS }))).toBe('ok');
  }

  async function waysInto({ userId }: Client): Promise<Record<string, number>> {
    const { rows } = await system.db.query(
      `SELECT (SELECT count(*)::int FROM user_phones WHERE user_id = $1) AS phones,
              (SELECT count(*)::int FROM oauth_identities WHERE user_id = $1) AS providers,
              (SELECT count(*)::int FROM totp WHERE user_id = $1) AS "secondFactors",
              (SELECT count(*)::int FROM totp_recovery_codes WHERE user_id = $1) AS codes,
              (SELECT count(*)::int FROM second_factor_challenges WHERE user_id = $1 AND used_at IS NULL) AS challenges`,
      [userId],
    );
    return rows[0];
  }

  const reclaimedOf = async ({ userId }: Client) =>
    (
      await system.db.query(
        "SELECT details FROM audit_log WHERE action = 'auth.account-reclaimed' AND subject_id = $1",
        [userId],
      )
    ).rows;

  it('is its owner’s alone once they have reset the password: nothing that was added before stays', async () => {
    const { email, client } = await accounts.open();
    const phone = '+12015550177';
    await addWaysIn(client, phone);
    expect(codeOf(await login(email, PASSWORD))).toBe('SECOND_FACTOR_REQUIRED');
    await reset(email);

    expect(await waysInto(client)).toEqual({
      phones: 0,
      providers: 0,
      secondFactors: 0,
      codes: 0,
      challenges: 0,
    });
    const owner = await login(email, OWNERS);
    expect([codeOf(owner), owner.data.user.id]).toEqual(['ok', client.userId]);
    const { challengeId } = (await anyone.post('auth/otp/send', { phone })).data;
    const code = (await texts.codes(phone, 2)).at(-1);
    const byPhone = await anyone.post('auth/otp/verify', { phone, challengeId, code });
    expect(codeOf(byPhone)).toBe('REGISTRATION_REQUIRED');
    expect(await reclaimedOf(client)).toEqual([{ details: { phones: 1, providers: 1, secondFactors: 1 } }]);
    await eventually(async () =>
      Promise.resolve(mails.sent.some(({ to, subject }) => to === email && subject === REMOVED)),
    );
  });

  it('keeps what its owner has added when the address was proved before', async () => {
    const { email, client } = await accounts.open();
    await verifiedOn(email);
    await addWaysIn(client, '+12015550178');
    await reset(email);
    expect(await waysInto(client)).toMatchObject({ phones: 1, providers: 1, secondFactors: 1, codes: 10 });
    expect(codeOf(await login(email, OWNERS))).toBe('SECOND_FACTOR_REQUIRED');
    expect(await reclaimedOf(client)).toEqual([]);
  });

  it('tells nobody of ways in that were removed when there were none', async () => {
    const { email, client } = await accounts.open();
    await reset(email);
    await eventually(async () =>
      Promise.resolve(mails.sent.some(({ to, subject }) => to === email && /was changed/.test(subject))),
    );
    expect(mails.sent.filter(({ to, subject }) => to === email && subject === REMOVED)).toEqual([]);
    expect(await reclaimedOf(client)).toHaveLength(1);
  });

  describe('is not made an admin’s by the command', () => {
    const promote = (email: string) =>
      system.app
        .get(AdminsService)
        .ensure({ email, handle: 'ops_admin', birthDate: '1970-01-01', password: 'operators real one 99' });
    const roleOf = async (email: string) =>
      (await system.db.query('SELECT role FROM users WHERE email = $1', [email])).rows[0].role;

    it('as long as the address is not verified', async () => {
      const { email } = await accounts.open();
      await expect(promote(email)).rejects.toThrow('its email is not verified');
      expect(await roleOf(email)).toBe('user');
    });

    it.each([
      ['it is banned', "UPDATE users SET status = 'banned' WHERE email = $1"],
      ['it is being closed', "UPDATE users SET closing_at = now() + interval '30 days' WHERE email = $1"],
    ])('when %s', async (because, sql) => {
      const { email } = await accounts.open();
      await verifiedOn(email);
      await system.db.query(sql, [email]);
      await expect(promote(email)).rejects.toThrow(because);
      expect(await roleOf(email)).toBe('user');
    });

    it('until its owner has verified it, in any case of the address; sessions of before end', async () => {
      const { email, client } = await accounts.open();
      await verifiedOn(email);
      expect(await promote(email.toUpperCase())).toBe('existed');
      expect(await roleOf(email)).toBe('admin');
      expect(codeOf(await client.get('users/me'))).toBe('SESSION_ENDED');
      expect((await login(email, PASSWORD)).data.user.role).toBe('admin');
    });

    it('again, when it is one: the command may be run at every start', async () => {
      const { email, client } = await accounts.open();
      await system.db.query("UPDATE users SET role = 'admin' WHERE email = $1", [email]);
      expect(await promote(email)).toBe('existed');
      expect(codeOf(await client.get('auth/sessions'))).toBe('ok');
    });

    it('when it is banned at the same moment', async () => {
      const { email, client } = await accounts.open();
      await verifiedOn(email);
      const connection = await system.db.connect();
      await connection.query('BEGIN');
      await connection.query("UPDATE users SET status = 'banned' WHERE id = $1", [client.userId]);
      const promoting = promote(email);
      await new Promise((resolve) => setTimeout(resolve, 300)); // until it waits for the row
      await connection.query('COMMIT');
      connection.release();
      await expect(promoting).rejects.toThrow('it is banned');
      expect(await roleOf(email)).toBe('user');
    });
  });
});
