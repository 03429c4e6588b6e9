import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hash } from '@node-rs/argon2';
import { QUEUES } from '../../src/platform/jobs/queues.js';
import { PASSWORD } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { drained, Mailbox } from '../support/mailbox.js';
import { SignUps } from '../support/sign-ups.js';
import { startSystem, type System } from '../support/system.js';

const NEW_PASSWORD = 'staple battery horse';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0';

describe('passwords', () => {
  let system: System;
  let mailbox: Mailbox;
  let anyone: Client;
  let accounts: SignUps;

  beforeAll(async () => {
    mailbox = await new Mailbox().open();
    system = await startSystem({ at: '2023-10-03T12:00:00Z', env: mailbox.env });
    anyone = new Client(system.url);
    accounts = new SignUps(system, 'user');
  });
  afterAll(async () => {
    await system.stop();
    await mailbox.close();
  });

  const outcome = ({ status, error }: Answer) => [status, error?.code];
  const login = (email: string, password: string, headers: Record<string, string> = {}) =>
    anyone.post('auth/login', { email, password }, { headers });

  const change = (client: Client, currentPassword: string, newPassword = NEW_PASSWORD) =>
    client.post('auth/password/change', { currentPassword, newPassword });
  const storedOf = async ({ userId }: Client) =>
    (await system.db.query('SELECT password_hash, changed_at FROM credentials WHERE user_id = $1', [userId]))
      .rows[0];

  describe('that attackers try first', () => {
    it.each([
      '1234567890',
      'QWERTYUIOP',
      'password2024',
      'monkeymonkey',
      'aaaaaaaaaaaa',
      'Elizabeth1!',
      'parley2024',
    ])('open no account: %s', async (password) => {
      const answer = await anyone.post('auth/register', accounts.body({ password }));
      expect([...outcome(answer), answer.error.details]).toEqual([
        422,
        'PASSWORD_BREACHED',
        { field: 'password' },
      ]);
      expect(JSON.stringify(answer.body)).not.toContain(password);
    });

    it('are those made of the handle or the email as well', async () => {
      for (const password of ['weatherwax', 'Weatherwax7', 'granny.ogg@lancre.example', 'granny.ogg1'])
        expect(
          outcome(
            await anyone.post(
              'auth/register',
              accounts.body({ handle: 'weatherwax', email: 'granny.ogg@lancre.example', password }),
            ),
          ),
        ).toEqual([422, 'PASSWORD_BREACHED']);
    });
  });

  describe('being changed', () => {
    it('ends every session but the caller’s, and tells the user', async () => {
      const { email, client, refreshToken } = await accounts.open();
      const other = await login(email, PASSWORD);
      const answer = await change(client, PASSWORD);
      expect([answer.status, answer.data]).toEqual([200, null]);
      expect((await client.get('auth/sessions')).status).toBe(200);
      expect((await anyone.post('auth/refresh', { refreshToken })).status).toBe(200);
      expect(outcome(await anyone.get('auth/sessions', { token: other.data.accessToken }))).toEqual([
        401,
        'SESSION_ENDED',
      ]);
      expect(outcome(await login(email, PASSWORD))).toEqual([401, 'INVALID_CREDENTIALS']);
      expect((await login(email, NEW_PASSWORD)).status).toBe(200);
      await mailbox.wait(email, 'Your password was changed');
    });

    it('asks for the current one', async () => {
      const { client } = await accounts.open();
      const before = await storedOf(client);
      expect(outcome(await change(client, `${PASSWORD}!`))).toEqual([403, 'PASSWORD_WRONG']);
      expect(await storedOf(client)).toEqual(before);
    });

    it('is refused to what attackers try first', async () => {
      const { client } = await accounts.open();
      const answer = await change(client, PASSWORD, 'password123456');
      expect([...outcome(answer), answer.error.details]).toEqual([
        422,
        'PASSWORD_BREACHED',
        { field: 'newPassword' },
      ]);
    });

    it('of two at once lets one have its way', async () => {
      const { email, client } = await accounts.open();
      const passwords = ['first horse battery', 'second horse battery', 'third horse battery'];
      const answers = await Promise.all(passwords.map((password) => change(client, PASSWORD, password)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ error }) => error?.code === 'PASSWORD_WRONG')).toHaveLength(2);
      const winner = answers.findIndex(({ status }) => status === 200);
      expect((await login(email, passwords[winner]!)).status).toBe(200);
    });

    it('needs one to be there', async () => {
      const { client } = await accounts.open();
      await system.db.query('DELETE FROM credentials WHERE user_id = $1', [client.userId]);
      expect(outcome(await change(client, PASSWORD))).toEqual([409, 'PASSWORD_ABSENT']);
    });
  });

  describe('stored with other parameters', () => {
    it('are hashed anew at the next sign-in, which is no change of them', async () => {
      const { email, client } = await accounts.open();
      const old = await hash(PASSWORD, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
      await system.db.query('UPDATE credentials SET password_hash = $2 WHERE user_id = $1', [
        client.userId,
        old,
      ]);
      const { changed_at: changedAt } = await storedOf(client);
      expect(outcome(await login(email, 'a wrong password'))).toEqual([401, 'INVALID_CREDENTIALS']);
      expect((await storedOf(client)).password_hash).toBe(old);
      const answers = await Promise.all([login(email, PASSWORD), login(email, PASSWORD)]);
      expect(answers.map(({ status }) => status)).toContain(200);
      const stored = await storedOf(client);
      expect(stored.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=1,p=1\$/);
      expect(stored.changed_at).toEqual(changedAt);
      expect((await login(email, PASSWORD)).status).toBe(200);
      expect(await storedOf(client)).toEqual(stored);
      expect((await client.get('auth/sessions')).status).toBe(200);
    });
  });

  describe('security notices', () => {
    it('tell of a device that is new, and of no other', async () => {
      const { email } = await accounts.open();
      await login(email, PASSWORD, { 'User-Agent': FIREFOX });
      const [mail] = await mailbox.wait(email, 'A new device signed in');
      expect(mail!.text).toContain('Firefox on Linux');
      await login(email, PASSWORD, { 'User-Agent': FIREFOX });
      await login(email, PASSWORD);
      const { email: later } = await accounts.open(); // its mail comes after those, were there any
      await mailbox.wait(later, 'Verify your email');
      expect(mailbox.to(email).filter(({ raw }) => raw.includes('new device'))).toHaveLength(1);
    });

    it('tell of a session that was ended because its refresh token was used twice', async () => {
      const { email, refreshToken } = await accounts.open();
      await anyone.post('auth/refresh', { refreshToken });
      await anyone.post('auth/refresh', { refreshToken });
      expect(await mailbox.wait(email, 'A session of yours was ended')).toHaveLength(1);
    });

    it('tell of a lock', async () => {
      const { email } = await accounts.open();
      for (let n = 0; n < 4; n += 1) await login(email, 'a wrong password', { 'User-Agent': 'another/1' });
      expect(await mailbox.wait(email, 'Sign-in to your account is slowed down')).toHaveLength(1);
    });

    it('are sent once the mail server takes them, and not for ever to an address that it refuses', async () => {
      const [good, bad] = [await accounts.open(), await accounts.open()];
      await Promise.all([good, bad].map(({ email }) => mailbox.wait(email, 'Verify your email')));
      let refusals = 0;
      mailbox.refusing = (address) => {
        if (address === bad.email) return { code: 550, message: `no such user ${address}` };
        if (address !== good.email || refusals === 2) return null;
        refusals += 1;
        return { code: 451, message: `come back later, ${address}` };
      };
      try {
        const attempts = mailbox.attempts;
        await Promise.all([change(bad.client, PASSWORD), change(good.client, PASSWORD)]);
        await mailbox.wait(good.email, 'Your password was changed');
        expect([refusals, mailbox.attempts - attempts]).toEqual([2, 4]);
        await drained(system, QUEUES.securityNotices);
        expect(mailbox.to(bad.email).filter(({ raw }) => raw.includes('was changed'))).toEqual([]);
      } finally {
        mailbox.refusing = undefined;
      }
    });

    it('are not sent to who has no email', async () => {
      const { email, client } = await accounts.open();
      await mailbox.wait(email, 'Verify your email');
      await system.db.query('UPDATE users SET email = NULL WHERE id = $1', [client.userId]);
      const attempts = mailbox.attempts;
      expect((await change(client, PASSWORD)).status).toBe(200);
      const { email: later } = await accounts.open();
      await mailbox.wait(later, 'Verify your email');
      expect(mailbox.attempts).toBe(attempts + 1);
    });
  });
});
