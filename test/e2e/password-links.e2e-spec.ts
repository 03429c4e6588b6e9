import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { QUEUES } from '../../src/platform/jobs/queues.js';
import { PASSWORD } from '../support/builders.js';
import { type Answer } from '../support/client.js';
import { MailedLinks, NEW_PASSWORD, RESET } from '../support/mailed-links.js';
import { drained } from '../support/mailbox.js';
import type { SignedUp } from '../support/sign-ups.js';

const MINUTE_MS = 60_000;

const outcome = ({ status, error }: Answer) => [status, error?.code];
const invalid = [422, 'LINK_INVALID'];

describe('mailed links that set a new password', () => {
  let links: MailedLinks;

  beforeAll(async () => {
    links = await MailedLinks.start();
  });
  afterAll(async () => links.stop());

  async function forgotten(account: SignedUp): Promise<string> {
    expect((await links.forgot(account.email)).status).toBe(202);
    return await links.mailbox.token(account.email, RESET);
  }

  it('set it, end every session and verify the email', async () => {
    const account = await links.accounts.open();
    const other = await links.login(account.email, PASSWORD);
    const token = await forgotten(account);
    const answer = await links.reset(token);
    expect([answer.status, answer.data]).toEqual([200, { deviceToken: expect.any(String) }]);
    for (const accessToken of [account.client.token!, other.data.accessToken])
      expect(outcome(await links.anyone.get('auth/sessions', { token: accessToken }))).toEqual([
        401,
        'SESSION_ENDED',
      ]);
    expect(outcome(await links.anyone.post('auth/refresh', { refreshToken: account.refreshToken }))).toEqual([
      401,
      'REFRESH_TOKEN_INVALID',
    ]);
    expect(outcome(await links.login(account.email, PASSWORD))).toEqual([401, 'INVALID_CREDENTIALS']);
    expect((await links.login(account.email, NEW_PASSWORD)).status).toBe(200);
    expect(await links.isVerified(account)).toBe(true);
    await links.mailbox.wait(account.email, 'Your password was changed');
    const { rows } = await links.system.db.query(
      "SELECT details FROM audit_log WHERE action = 'auth.password-changed' AND subject_id = $1",
      [account.client.userId],
    );
    expect(rows).toEqual([{ details: { by: 'reset' } }]);
  });

  it('work once, one of several, and of ten at once one', async () => {
    const account = await links.accounts.open();
    const first = await forgotten(account);
    await links.forgot(account.email);
    const second = await links.mailbox.token(account.email, RESET, 2);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => links.reset(n % 2 === 0 ? first : second, `${NEW_PASSWORD} ${n}`)),
    );
    const winner = answers.findIndex(({ status }) => status === 200);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ error }) => error?.code === 'LINK_INVALID')).toHaveLength(9);
    expect((await links.login(account.email, `${NEW_PASSWORD} ${winner}`)).status).toBe(200);
    for (const token of [first, second]) expect(outcome(await links.reset(token))).toEqual(invalid);
  });

  it('hold for 30 minutes', async () => {
    const [one, two] = [await links.accounts.open(), await links.accounts.open()];
    const [early, late] = [await forgotten(one), await forgotten(two)];
    await links.later(30 * MINUTE_MS - 10_000);
    expect((await links.reset(early)).status).toBe(200);
    await links.later(10_000);
    expect(outcome(await links.reset(late))).toEqual(invalid);
    expect((await links.login(two.email, PASSWORD)).status).toBe(200);
  });

  it('are not used up by a password that is refused', async () => {
    const account = await links.accounts.open();
    const token = await forgotten(account);
    for (const weak of [
      'qwertyuiop',
      'Password2024!',
      `${account.handle}1999`.padEnd(10, '!'),
      account.email,
    ])
      expect(outcome(await links.reset(token, weak))).toEqual([422, 'PASSWORD_BREACHED']);
    expect(outcome(await links.reset(token, 'short'))).toEqual([400, 'VALIDATION_FAILED']);
    expect((await links.reset(token)).status).toBe(200);
  });

  it('are ended by a change of the password', async () => {
    const account = await links.accounts.open();
    const token = await forgotten(account);
    await account.client.post('auth/password/change', {
      currentPassword: PASSWORD,
      newPassword: NEW_PASSWORD,
    });
    expect(outcome(await links.reset(token))).toEqual(invalid);
  });

  it('leave no session to who signs in with the old password meanwhile', async () => {
    for (let round = 0; round < 3; round += 1) {
      const account = await links.accounts.open();
      const token = await forgotten(account);
      const [answer, ...thieves] = await Promise.all([
        links.reset(token),
        ...Array.from({ length: 6 }, () => links.login(account.email, PASSWORD)),
      ]);
      expect(answer.status).toBe(200);
      for (const { data } of thieves.filter(({ status }) => status === 200))
        expect(outcome(await links.anyone.get('auth/sessions', { token: data.accessToken }))).toEqual([
          401,
          'SESSION_ENDED',
        ]);
      const { rows } = await links.system.db.query(
        'SELECT count(*)::int AS n FROM sessions WHERE user_id = $1 AND ended_at IS NULL',
        [account.client.userId],
      );
      expect(rows[0].n).toBe(0);
    }
  });

  it('answer for an unknown email as for a known one, and mail nobody', async () => {
    const account = await links.accounts.open();
    const [known, unknown] = [await links.forgot(account.email), await links.forgot('nobody@example.com')];
    expect([known.status, known.data, Object.keys(known.body)]).toEqual([
      202,
      null,
      Object.keys(unknown.body),
    ]);
    expect([unknown.status, unknown.data]).toEqual([202, null]);
    await links.mailbox.wait(account.email, RESET);
    await drained(links.system, QUEUES.passwordReset);
    expect(links.mailbox.to('nobody@example.com')).toEqual([]);
  });

  it('find the account in any case of the email', async () => {
    const account = await links.accounts.open();
    await links.forgot(account.email.toUpperCase());
    expect(await links.mailbox.wait(account.email, RESET)).toHaveLength(1);
  });

  it('are mailed five times an hour at most, and no one is told', async () => {
    const account = await links.accounts.open();
    const answers = await Promise.all(Array.from({ length: 12 }, () => links.forgot(account.email)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(12);
    await links.mailbox.wait(account.email, RESET, 5);
    await drained(links.system, QUEUES.passwordReset);
    expect(
      links.mailbox.to(account.email).filter(({ raw }) => raw.includes(`Subject: ${RESET}`)),
    ).toHaveLength(5);
  });
});
