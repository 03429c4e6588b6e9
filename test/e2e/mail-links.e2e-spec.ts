import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MailLinksService } from '../../src/modules/auth/mail/mail-links.service.js';
import { QUEUES } from '../../src/platform/jobs/queues.js';
import { PASSWORD } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { drained, Mailbox, tokenIn } from '../support/mailbox.js';
import { type SignedUp, SignUps } from '../support/sign-ups.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Values } from '../support/values.js';

const NEW_PASSWORD = 'staple battery horse';
const VERIFY = 'Verify your email';
const RESET = 'Choose a new password';
const MINUTE_MS = 60_000;

describe('mailed links', () => {
  let system: System;
  let mailbox: Mailbox;
  let anyone: Client;
  let accounts: SignUps;

  beforeAll(async () => {
    mailbox = await new Mailbox().open();
    system = await startSystem({ at: '2023-10-03T12:00:00Z', env: mailbox.env });
    anyone = new Client(system.url);
    accounts = new SignUps(system, 'new');
  });
  afterAll(async () => {
    await system.stop();
    await mailbox.close();
  });

  const outcome = ({ status, error }: Answer) => [status, error?.code];
  const invalid = [422, 'LINK_INVALID'];

  const verify = (token: string, { client }: Pick<SignedUp, 'client'>) =>
    client.post('auth/email/verify', { token });
  const forgot = (email: string) => anyone.post('auth/password/forgot', { email });
  const reset = (token: string, password = NEW_PASSWORD) =>
    anyone.post('auth/password/reset', { token, password });
  const login = (email: string, password: string) => anyone.post('auth/login', { email, password });
  const signedInAgain = async ({ email }: SignedUp) => {
    const { data } = await login(email, PASSWORD);
    return { client: new Client(system.url, data.accessToken) };
  };
  const isVerified = async ({ client }: SignedUp) => {
    const { rows } = await system.db.query('SELECT email_verified_at FROM users WHERE id = $1', [
      client.userId,
    ]);
    return rows[0].email_verified_at !== null;
  };
  const linksOf = async ({ client }: SignedUp) => {
    const { rows } = await system.db.query('SELECT 1 FROM mail_links WHERE user_id = $1', [client.userId]);
    return rows.length;
  };
  const later = (ms: number) => system.moveTo(new Date(system.now().getTime() + ms));
  describe('that verify an email', () => {
    it('come with the account, work once and say so', async () => {
      const account = await accounts.open();
      const [mail] = await mailbox.wait(account.email, VERIFY);
      expect(mail!.text).toContain(`Hello ${account.handle},`);
      expect(mail!.text).toMatch(/https:\/\/app\.example\.com\/verify-email#token=[A-Za-z0-9_-]{64}\r?\n/);
      expect(mail!.text).toContain('within 24 hours');
      expect(await isVerified(account)).toBe(false);
      const answer = await verify(tokenIn(mail!), account);
      expect([answer.status, answer.data]).toEqual([200, null]);
      expect(await isVerified(account)).toBe(true);
      expect(outcome(await verify(tokenIn(mail!), account))).toEqual(invalid);
    });

    it('of ten who open one at once lets in one', async () => {
      const account = await accounts.open();
      const token = await mailbox.token(account.email, VERIFY);
      const answers = await Promise.all(Array.from({ length: 10 }, () => verify(token, account)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ error }) => error?.code === 'LINK_INVALID')).toHaveLength(9);
    });

    it('hold for 24 hours', async () => {
      const [one, two] = [await accounts.open(), await accounts.open()];
      const [early, late] = [await mailbox.token(one.email, VERIFY), await mailbox.token(two.email, VERIFY)];
      await later(24 * 60 * MINUTE_MS - MINUTE_MS);
      expect((await verify(early, await signedInAgain(one))).status).toBe(200);
      await later(MINUTE_MS);
      expect(outcome(await verify(late, await signedInAgain(two)))).toEqual(invalid);
      expect(await isVerified(two)).toBe(false);
    });

    it('count in a session of their account only: who opened it for another verifies nothing through them', async () => {
      const [account, other] = [await accounts.open(), await accounts.open()];
      const token = await mailbox.token(account.email, VERIFY);
      expect(outcome(await verify(token, { client: anyone }))).toEqual([401, 'UNAUTHENTICATED']);
      expect(outcome(await verify(token, other))).toEqual(invalid);
      expect([await isVerified(account), await isVerified(other)]).toEqual([false, false]);
      expect((await verify(token, account)).status).toBe(200);
    });

    it('are sent again on request, and the use of one ends the others', async () => {
      const account = await accounts.open();
      const first = await mailbox.token(account.email, VERIFY);
      expect((await account.client.post('auth/email/verification')).status).toBe(202);
      const second = await mailbox.token(account.email, VERIFY, 2);
      expect((await verify(second, account)).status).toBe(200);
      expect(outcome(await verify(first, account))).toEqual(invalid);
      expect(outcome(await account.client.post('auth/email/verification'))).toEqual([
        409,
        'EMAIL_ALREADY_VERIFIED',
      ]);
    });

    it('are sent five times an hour at most, however many ask at once', async () => {
      const account = await accounts.open();
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => account.client.post('auth/email/verification')),
      );
      expect(answers.filter(({ status }) => status === 202)).toHaveLength(4);
      const refused = answers.filter(({ error }) => error?.code === 'RATE_LIMITED');
      expect(refused).toHaveLength(6);
      expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(3500);
      await mailbox.wait(account.email, VERIFY, 5);
      await later(61 * MINUTE_MS);
      expect(
        (
          await new Client(system.url, (await login(account.email, PASSWORD)).data.accessToken).post(
            'auth/email/verification',
          )
        ).status,
      ).toBe(202);
    });

    it('are not sent to who has no email', async () => {
      const { client } = await accounts.open();
      await system.db.query('UPDATE users SET email = NULL WHERE id = $1', [client.userId]);
      expect(outcome(await client.post('auth/email/verification'))).toEqual([409, 'EMAIL_MISSING']);
    });

    it('do not verify the address that has taken the place of theirs', async () => {
      const account = await accounts.open();
      const token = await mailbox.token(account.email, VERIFY);
      await system.db.query("UPDATE users SET email = 'other-' || email WHERE id = $1", [
        account.client.userId,
      ]);
      expect(outcome(await verify(token, account))).toEqual(invalid);
      expect(await isVerified(account)).toBe(false);
    });
  });

  describe('that set a new password', () => {
    async function forgotten(account: SignedUp): Promise<string> {
      expect((await forgot(account.email)).status).toBe(202);
      return await mailbox.token(account.email, RESET);
    }

    it('set it, end every session and verify the email', async () => {
      const account = await accounts.open();
      const other = await login(account.email, PASSWORD);
      const token = await forgotten(account);
      const answer = await reset(token);
      expect([answer.status, answer.data]).toEqual([200, { deviceToken: expect.any(String) }]);
      for (const accessToken of [account.client.token!, other.data.accessToken])
        expect(outcome(await anyone.get('auth/sessions', { token: accessToken }))).toEqual([
          401,
          'SESSION_ENDED',
        ]);
      expect(outcome(await anyone.post('auth/refresh', { refreshToken: account.refreshToken }))).toEqual([
        401,
        'REFRESH_TOKEN_INVALID',
      ]);
      expect(outcome(await login(account.email, PASSWORD))).toEqual([401, 'INVALID_CREDENTIALS']);
      expect((await login(account.email, NEW_PASSWORD)).status).toBe(200);
      expect(await isVerified(account)).toBe(true);
      await mailbox.wait(account.email, 'Your password was changed');
      const { rows } = await system.db.query(
        "SELECT details FROM audit_log WHERE action = 'auth.password-changed' AND subject_id = $1",
        [account.client.userId],
      );
      expect(rows).toEqual([{ details: { by: 'reset' } }]);
    });

    it('work once, one of several, and of ten at once one', async () => {
      const account = await accounts.open();
      const first = await forgotten(account);
      await forgot(account.email);
      const second = await mailbox.token(account.email, RESET, 2);
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, n) => reset(n % 2 === 0 ? first : second, `${NEW_PASSWORD} ${n}`)),
      );
      const winner = answers.findIndex(({ status }) => status === 200);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ error }) => error?.code === 'LINK_INVALID')).toHaveLength(9);
      expect((await login(account.email, `${NEW_PASSWORD} ${winner}`)).status).toBe(200);
      for (const token of [first, second]) expect(outcome(await reset(token))).toEqual(invalid);
    });

    it('hold for 30 minutes', async () => {
      const [one, two] = [await accounts.open(), await accounts.open()];
      const [early, late] = [await forgotten(one), await forgotten(two)];
      await later(30 * MINUTE_MS - 10_000);
      expect((await reset(early)).status).toBe(200);
      await later(10_000);
      expect(outcome(await reset(late))).toEqual(invalid);
      expect((await login(two.email, PASSWORD)).status).toBe(200);
    });

    it('are not used up by a password that is refused', async () => {
      const account = await accounts.open();
      const token = await forgotten(account);
      for (const weak of [
        'qwertyuiop',
        'Password2024!',
        `${account.handle}1999`.padEnd(10, '!'),
        account.email,
      ])
        expect(outcome(await reset(token, weak))).toEqual([422, 'PASSWORD_BREACHED']);
      expect(outcome(await reset(token, 'short'))).toEqual([400, 'VALIDATION_FAILED']);
      expect((await reset(token)).status).toBe(200);
    });

    it('are ended by a change of the password', async () => {
      const account = await accounts.open();
      const token = await forgotten(account);
      await account.client.post('auth/password/change', {
        currentPassword: PASSWORD,
        newPassword: NEW_PASSWORD,
      });
      expect(outcome(await reset(token))).toEqual(invalid);
    });

    it('leave no session to who signs in with the old password meanwhile', async () => {
      for (let round = 0; round < 3; round += 1) {
        const account = await accounts.open();
        const token = await forgotten(account);
        const [answer, ...thieves] = await Promise.all([
          reset(token),
          ...Array.from({ length: 6 }, () => login(account.email, PASSWORD)),
        ]);
        expect(answer.status).toBe(200);
        for (const { data } of thieves.filter(({ status }) => status === 200))
          expect(outcome(await anyone.get('auth/sessions', { token: data.accessToken }))).toEqual([
            401,
            'SESSION_ENDED',
          ]);
        const { rows } = await system.db.query(
          'SELECT count(*)::int AS n FROM sessions WHERE user_id = $1 AND ended_at IS NULL',
          [account.client.userId],
        );
        expect(rows[0].n).toBe(0);
      }
    });

    it('answer for an unknown email as for a known one, and mail nobody', async () => {
      const account = await accounts.open();
      const [known, unknown] = [await forgot(account.email), await forgot('nobody@example.com')];
      expect([known.status, known.data, Object.keys(known.body)]).toEqual([
        202,
        null,
        Object.keys(unknown.body),
      ]);
      expect([unknown.status, unknown.data]).toEqual([202, null]);
      await mailbox.wait(account.email, RESET);
      await drained(system, QUEUES.passwordReset);
      expect(mailbox.to('nobody@example.com')).toEqual([]);
    });

    it('find the account in any case of the email', async () => {
      const account = await accounts.open();
      await forgot(account.email.toUpperCase());
      expect(await mailbox.wait(account.email, RESET)).toHaveLength(1);
    });

    it('are mailed five times an hour at most, and no one is told', async () => {
      const account = await accounts.open();
      const answers = await Promise.all(Array.from({ length: 12 }, () => forgot(account.email)));
      expect(answers.filter(({ status }) => status === 202)).toHaveLength(12);
      await mailbox.wait(account.email, RESET, 5);
      await drained(system, QUEUES.passwordReset);
      expect(mailbox.to(account.email).filter(({ raw }) => raw.includes(`Subject: ${RESET}`))).toHaveLength(
        5,
      );
    });
  });

  it('carry no secret outside the mail', async () => {
    const account = await accounts.open();
    await forgot(account.email);
    const tokens = [await mailbox.token(account.email, VERIFY), await mailbox.token(account.email, RESET)];
    const secrets = tokens.flatMap((token) => [token, token.slice(-40)]);
    expect(await new Values(system).placesOf(...secrets)).toEqual([]);
  });

  it.each([
    ['nothing of ours', 'x'],
    ['64 letters', 'A'.repeat(64)],
    ['bytes of the right number', Buffer.alloc(48, 7).toString('base64url')],
    ['signs', '%00%0d%0a../../'],
  ])('that are %s are invalid', async (_, token) => {
    expect(outcome(await verify(token, await accounts.open()))).toEqual(invalid);
    expect(outcome(await reset(token))).toEqual(invalid);
  });

  it('are for one purpose, and their secret is compared to the last bit', async () => {
    const account = await accounts.open();
    await forgot(account.email);
    const [forVerifying, forReset] = [
      await mailbox.token(account.email, VERIFY),
      await mailbox.token(account.email, RESET),
    ];
    expect(outcome(await verify(forReset, account))).toEqual(invalid);
    expect(outcome(await reset(forVerifying))).toEqual(invalid);
    const bytes = Buffer.from(forReset, 'base64url');
    bytes[47]! ^= 1;
    expect(outcome(await reset(bytes.toString('base64url')))).toEqual(invalid);
    expect((await reset(forReset)).status).toBe(200);
  });

  it('are forgotten after a week', async () => {
    const { email } = await accounts.open();
    await mailbox.wait(email, VERIFY);
    await later(6 * 24 * 60 * MINUTE_MS);
    const account = await accounts.open();
    await mailbox.wait(account.email, VERIFY);
    await later(25 * 60 * MINUTE_MS);
    const [forget] = system.app.get(MailLinksService).forgets;
    const before = await linksOf(account);
    while ((await forget!(10)) === 10);
    const { rows } = await system.db.query('SELECT user_id FROM mail_links');
    expect([before, rows]).toEqual([1, [{ user_id: account.client.userId }]]);
  });

  it('hold nothing that a display name put there', async () => {
    const displayName = 'x\r\nBcc: evil@example.com\r\n\r\n<a href="//evil.example">';
    const account = await accounts.open({ displayName, email: 'victim,second@example.com' });
    const mail = await eventually(async () =>
      Promise.resolve(mailbox.mails.find(({ raw }) => raw.includes(account.handle))),
    );
    expect(mail.to).toEqual(['"victim,second"@example.com']);
    expect(mail.raw).not.toMatch(/evil/);
  });
});
