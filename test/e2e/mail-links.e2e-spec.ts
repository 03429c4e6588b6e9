import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MailLinksService } from '../../src/modules/auth/mail/mail-links.service.js';
import { PASSWORD } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { MailedLinks, RESET, VERIFY } from '../support/mailed-links.js';
import { tokenIn } from '../support/mailbox.js';
import { eventually } from '../support/system.js';
import { Values } from '../support/values.js';

const MINUTE_MS = 60_000;

const outcome = ({ status, error }: Answer) => [status, error?.code];
const invalid = [422, 'LINK_INVALID'];

describe('mailed links', () => {
  let links: MailedLinks;

  beforeAll(async () => {
    links = await MailedLinks.start();
  });
  afterAll(async () => links.stop());

  describe('that verify an email', () => {
    it('come with the account, work once and say so', async () => {
      const account = await links.accounts.open();
      const [mail] = await links.mailbox.wait(account.email, VERIFY);
      expect(mail!.text).toContain(`Hello ${account.handle},`);
      expect(mail!.text).toMatch(/https:\/\/app\.example\.com\/verify-email#token=[A-Za-z0-9_-]{64}\r?\n/);
      expect(mail!.text).toContain('within 24 hours');
      expect(await links.isVerified(account)).toBe(false);
      const answer = await links.verify(tokenIn(mail!), account);
      expect([answer.status, answer.data]).toEqual([200, null]);
      expect(await links.isVerified(account)).toBe(true);
      expect(outcome(await links.verify(tokenIn(mail!), account))).toEqual(invalid);
    });

    it('of ten who open one at once lets in one', async () => {
      const account = await links.accounts.open();
      const token = await links.mailbox.token(account.email, VERIFY);
      const answers = await Promise.all(Array.from({ length: 10 }, () => links.verify(token, account)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ error }) => error?.code === 'LINK_INVALID')).toHaveLength(9);
    });

    it('hold for 24 hours', async () => {
      const [one, two] = [await links.accounts.open(), await links.accounts.open()];
      const [early, late] = [
        await links.mailbox.token(one.email, VERIFY),
        await links.mailbox.token(two.email, VERIFY),
      ];
      await links.later(24 * 60 * MINUTE_MS - MINUTE_MS);
      expect((await links.verify(early, await links.signedInAgain(one))).status).toBe(200);
      await links.later(MINUTE_MS);
      expect(outcome(await links.verify(late, await links.signedInAgain(two)))).toEqual(invalid);
      expect(await links.isVerified(two)).toBe(false);
    });

    it('count in a session of their account only: who opened it for another verifies nothing through them', async () => {
      const [account, other] = [await links.accounts.open(), await links.accounts.open()];
      const token = await links.mailbox.token(account.email, VERIFY);
      expect(outcome(await links.verify(token, { client: links.anyone }))).toEqual([401, 'UNAUTHENTICATED']);
      expect(outcome(await links.verify(token, other))).toEqual(invalid);
      expect([await links.isVerified(account), await links.isVerified(other)]).toEqual([false, false]);
      expect((await links.verify(token, account)).status).toBe(200);
    });

    it('are sent again on request, and the use of one ends the others', async () => {
      const account = await links.accounts.open();
      const first = await links.mailbox.token(account.email, VERIFY);
      expect((await account.client.post('auth/email/verification')).status).toBe(202);
      const second = await links.mailbox.token(account.email, VERIFY, 2);
      expect((await links.verify(second, account)).status).toBe(200);
      expect(outcome(await links.verify(first, account))).toEqual(invalid);
      expect(outcome(await account.client.post('auth/email/verification'))).toEqual([
        409,
        'EMAIL_ALREADY_VERIFIED',
      ]);
    });

    it('are sent five times an hour at most, however many ask at once', async () => {
      const account = await links.accounts.open();
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => account.client.post('auth/email/verification')),
      );
      expect(answers.filter(({ status }) => status === 202)).toHaveLength(4);
      const refused = answers.filter(({ error }) => error?.code === 'RATE_LIMITED');
      expect(refused).toHaveLength(6);
      expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(3500);
      await links.mailbox.wait(account.email, VERIFY, 5);
      await links.later(61 * MINUTE_MS);
      expect(
        (
          await new Client(
            links.system.url,
            (await links.login(account.email, PASSWORD)).data.accessToken,
          ).post('auth/email/verification')
        ).status,
      ).toBe(202);
    });

    it('are not sent to who has no email', async () => {
      const { client } = await links.accounts.open();
      await links.system.db.query('UPDATE users SET email = NULL WHERE id = $1', [client.userId]);
      expect(outcome(await client.post('auth/email/verification'))).toEqual([409, 'EMAIL_MISSING']);
    });

    it('do not verify the address that has taken the place of theirs', async () => {
      const account = await links.accounts.open();
      const token = await links.mailbox.token(account.email, VERIFY);
      await links.system.db.query("UPDATE users SET email = 'other-' || email WHERE id = $1", [
        account.client.userId,
      ]);
      expect(outcome(await links.verify(token, account))).toEqual(invalid);
      expect(await links.isVerified(account)).toBe(false);
    });
  });

  it('carry no secret outside the mail', async () => {
    const account = await links.accounts.open();
    await links.forgot(account.email);
    const tokens = [
      await links.mailbox.token(account.email, VERIFY),
      await links.mailbox.token(account.email, RESET),
    ];
    const secrets = tokens.flatMap((token) => [token, token.slice(-40)]);
    expect(await new Values(links.system).placesOf(...secrets)).toEqual([]);
  });

  it.each([
    ['nothing of ours', 'x'],
    ['64 letters', 'A'.repeat(64)],
    ['bytes of the right number', Buffer.alloc(48, 7).toString('base64url')],
    ['signs', '%00%0d%0a../../'],
  ])('that are %s are invalid', async (_, token) => {
    expect(outcome(await links.verify(token, await links.accounts.open()))).toEqual(invalid);
    expect(outcome(await links.reset(token))).toEqual(invalid);
  });

  it('are for one purpose, and their secret is compared to the last bit', async () => {
    const account = await links.accounts.open();
    await links.forgot(account.email);
    const [forVerifying, forReset] = [
      await links.mailbox.token(account.email, VERIFY),
      await links.mailbox.token(account.email, RESET),
    ];
    expect(outcome(await links.verify(forReset, account))).toEqual(invalid);
    expect(outcome(await links.reset(forVerifying))).toEqual(invalid);
    const bytes = Buffer.from(forReset, 'base64url');
    bytes[47]! ^= 1;
    expect(outcome(await links.reset(bytes.toString('base64url')))).toEqual(invalid);
    expect((await links.reset(forReset)).status).toBe(200);
  });

  it('are forgotten after a week', async () => {
    const { email } = await links.accounts.open();
    await links.mailbox.wait(email, VERIFY);
    await links.later(6 * 24 * 60 * MINUTE_MS);
    const account = await links.accounts.open();
    await links.mailbox.wait(account.email, VERIFY);
    await links.later(25 * 60 * MINUTE_MS);
    const [forget] = links.system.app.get(MailLinksService).forgets;
    const before = await links.linksOf(account);
    while ((await forget!(10)) === 10);
    const { rows } = await links.system.db.query('SELECT user_id FROM mail_links');
    expect([before, rows]).toEqual([1, [{ user_id: account.client.userId }]]);
  });

  it('hold nothing that a display name put there', async () => {
    const displayName = 'x\r\nBcc: evil@example.com\r\n\r\n<a href="//evil.example">';
    const account = await links.accounts.open({ displayName, email: 'victim,second@example.com' });
    const mail = await eventually(async () =>
      Promise.resolve(links.mailbox.mails.find(({ raw }) => raw.includes(account.handle))),
    );
    expect(mail.to).toEqual(['"victim,second"@example.com']);
    expect(mail.raw).not.toMatch(/evil/);
  });
});
