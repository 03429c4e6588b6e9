import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateSync } from 'otplib';
import { Builders, PASSWORD } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { SignUps } from '../support/sign-ups.js';
import type { System } from '../support/system.js';

interface Person {
  email: string;
  client: Client;
  secret: string;
  recoveryCodes: string[];
}

describe('the second factor', () => {
  let system: System;
  let anyone: Client;
  let accounts: SignUps;

  beforeAll(async () => {
    system = await startSystemWithRules({}, { worker: false, at: '2023-10-03T12:00:00Z' });
    anyone = new Client(system.url);
    accounts = new SignUps(system, 'second');
  });
  afterAll(async () => system.stop());

  const codeOf = ({ status, error }: Answer) => (status < 300 ? 'ok' : error.code);
  const code = (secret: string, steps = 0) =>
    generateSync({ secret, epoch: Math.floor(system.now().getTime() / 1000) + 30 * steps });

  async function later(seconds: number): Promise<void> {
    await system.moveTo(new Date(system.now().getTime() + seconds * 1000));
  }

  const register = async () => accounts.open();

  /** Somebody who has it on; the code of the present step is used by that. */
  async function protectedPerson(): Promise<Person> {
    const { email, client } = await register();
    const { data } = await client.post('auth/totp');
    const confirmed = await client.post('auth/totp/confirm', { code: code(data.secret) });
    expect(codeOf(confirmed)).toBe('ok');
    await later(30);
    return { email, client, secret: data.secret, recoveryCodes: confirmed.data.recoveryCodes };
  }

  async function challengeOf({ email }: { email: string }): Promise<string> {
    const answer = await anyone.post('auth/login', { email, password: PASSWORD });
    expect([answer.status, answer.error.code]).toEqual([401, 'SECOND_FACTOR_REQUIRED']);
    expect(answer.error.details).toEqual({
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      expiresIn: 300,
    });
    return String(answer.error.details['challenge']);
  }

  const verify = (challenge: string, given: string) =>
    anyone.post('auth/totp/verify', { challenge, code: given });

  async function sessionsOf({
    client,
  }: {
    client: Client;
  }): Promise<{ second_factor: boolean; proof: string }[]> {
    const { rows } = await system.db.query(
      'SELECT second_factor, proof FROM sessions WHERE user_id = $1 ORDER BY id',
      [client.userId],
    );
    return rows;
  }

  describe('setting it up', () => {
    it('asks for nothing until its first code has come', async () => {
      const { email, client } = await register();
      const begun = await client.post('auth/totp');
      expect([begun.status, Object.keys(begun.data)]).toEqual([201, ['secret', 'uri']]);
      expect(begun.data.uri).toContain(`secret=${begun.data.secret}`);
      expect(codeOf(await anyone.post('auth/login', { email, password: PASSWORD }))).toBe('ok');
    });

    it('refuses a wrong code, and the code of a secret that was replaced', async () => {
      const { client } = await register();
      expect(codeOf(await client.post('auth/totp/confirm', { code: '123456' }))).toBe('TOTP_NOT_ON');
      const first = await client.post('auth/totp');
      const second = await client.post('auth/totp');
      expect(second.data.secret).not.toBe(first.data.secret);
      const old = await client.post('auth/totp/confirm', { code: code(first.data.secret) });
      expect([old.status, codeOf(old)]).toEqual([422, 'TOTP_CODE_WRONG']);
      expect(codeOf(await client.post('auth/totp/confirm', { code: code(second.data.secret) }))).toBe('ok');
    });

    it('gives ten recovery codes, and stores neither them nor the secret in the clear', async () => {
      const { client, secret, recoveryCodes } = await protectedPerson();
      expect(new Set(recoveryCodes).size).toBe(10);
      const { rows } = await system.db.query(
        `SELECT t::text || (SELECT string_agg(r::text, '') FROM totp_recovery_codes r WHERE r.user_id = t.user_id) AS all
         FROM totp t WHERE user_id = $1`,
        [client.userId],
      );
      for (const plain of [secret, ...recoveryCodes])
        for (const form of [plain, Buffer.from(plain).toString('hex'), plain.replaceAll('-', '')])
          expect(rows[0].all).not.toContain(form);
    });

    it('cannot be begun or confirmed again while it is on', async () => {
      const { client, secret } = await protectedPerson();
      expect(codeOf(await client.post('auth/totp'))).toBe('TOTP_ALREADY_ON');
      expect(codeOf(await client.post('auth/totp/confirm', { code: code(secret) }))).toBe('TOTP_ALREADY_ON');
    });

    it('is confirmed once by ten codes at the same time', async () => {
      const { client } = await register();
      const { data } = await client.post('auth/totp');
      const given = code(data.secret);
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => client.post('auth/totp/confirm', { code: given })),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      const { rows } = await system.db.query(
        'SELECT count(*)::int AS n FROM totp_recovery_codes WHERE user_id = $1',
        [client.userId],
      );
      expect(rows).toEqual([{ n: 10 }]);
    });
  });

  describe('signing in', () => {
    it('opens no session by the password, and one by the code', async () => {
      const person = await protectedPerson();
      const before = await sessionsOf(person);
      const challenge = await challengeOf(person);
      expect(await sessionsOf(person)).toEqual(before);
      const answer = await verify(challenge, code(person.secret));
      expect([answer.status, Object.keys(answer.data)]).toEqual([
        200,
        ['accessToken', 'refreshToken', 'expiresIn', 'deviceToken', 'user'],
      ]);
      expect(answer.data.user.id).toBe(person.client.userId);
      expect(codeOf(await new Client(system.url, answer.data.accessToken).get('auth/sessions'))).toBe('ok');
      expect(await sessionsOf(person)).toEqual([...before, { second_factor: true, proof: 'password' }]);
    });

    it('takes a code once, and none before it', async () => {
      const person = await protectedPerson();
      const [early, present] = [code(person.secret, -1), code(person.secret)];
      expect(codeOf(await verify(await challengeOf(person), present))).toBe('ok');
      expect(codeOf(await verify(await challengeOf(person), present))).toBe('SECOND_FACTOR_WRONG');
      expect(codeOf(await verify(await challengeOf(person), early))).toBe('SECOND_FACTOR_WRONG');
      await later(30);
      expect(codeOf(await verify(await challengeOf(person), code(person.secret)))).toBe('ok');
    });

    it('takes a code of one step ago or ahead, and not of two', async () => {
      const person = await protectedPerson();
      await later(120);
      expect(codeOf(await verify(await challengeOf(person), code(person.secret, -2)))).toBe(
        'SECOND_FACTOR_WRONG',
      );
      expect(codeOf(await verify(await challengeOf(person), code(person.secret, 2)))).toBe(
        'SECOND_FACTOR_WRONG',
      );
      expect(codeOf(await verify(await challengeOf(person), code(person.secret, -1)))).toBe('ok');
      expect(codeOf(await verify(await challengeOf(person), code(person.secret, 1)))).toBe('ok');
    });

    it('opens one session for twenty who send the same code at once, for one challenge or for many', async () => {
      const person = await protectedPerson();
      const challenge = await challengeOf(person);
      const same = await Promise.all(
        Array.from({ length: 20 }, () => verify(challenge, code(person.secret))),
      );
      expect(same.filter(({ status }) => status === 200)).toHaveLength(1);
      await later(1000);
      const challenges: string[] = [];
      for (let n = 0; n < 6; n += 1) challenges.push(await challengeOf(person));
      const many = await Promise.all(challenges.map((one) => verify(one, code(person.secret))));
      expect(many.filter(({ status }) => status === 200)).toHaveLength(1);
      expect((await sessionsOf(person)).filter(({ second_factor }) => second_factor)).toHaveLength(3);
    });

    it('takes a challenge once, for five minutes, and no other’s', async () => {
      const person = await protectedPerson();
      const used = await challengeOf(person);
      expect(codeOf(await verify(used, code(person.secret)))).toBe('ok');
      await later(30);
      expect(codeOf(await verify(used, code(person.secret)))).toBe('CHALLENGE_INVALID');
      const old = await challengeOf(person);
      await later(301);
      expect(codeOf(await verify(old, code(person.secret)))).toBe('CHALLENGE_INVALID');
      expect(codeOf(await verify(randomBytes(32).toString('base64url'), code(person.secret)))).toBe(
        'CHALLENGE_INVALID',
      );
      const other = await protectedPerson();
      expect(codeOf(await verify(await challengeOf(other), code(person.secret)))).toBe('SECOND_FACTOR_WRONG');
    });

    it('opens nothing by the challenge alone', async () => {
      const challenge = await challengeOf(await protectedPerson());
      expect(codeOf(await anyone.get('me', { token: challenge }))).toBe('UNAUTHENTICATED');
      expect(codeOf(await anyone.post('auth/refresh', { refreshToken: challenge }))).toBe(
        'REFRESH_TOKEN_INVALID',
      );
    });

    it('refuses a challenge once the password has been changed', async () => {
      const person = await protectedPerson();
      const challenge = await challengeOf(person);
      await later(1);
      await system.db.query('UPDATE credentials SET changed_at = $2 WHERE user_id = $1', [
        person.client.userId,
        system.now(),
      ]);
      expect(codeOf(await verify(challenge, code(person.secret)))).toBe('CHALLENGE_INVALID');
    });

    it('tells a ban once the code is right', async () => {
      const person = await protectedPerson();
      const challenge = await challengeOf(person);
      await system.db.query("UPDATE users SET status = 'banned' WHERE id = $1", [person.client.userId]);
      expect(codeOf(await verify(challenge, code(person.secret)))).toBe('BANNED');
    });

    it('lets 200 guesses at once have three comparisons, over however many challenges', async () => {
      const person = await protectedPerson();
      const challenges: string[] = [];
      for (let n = 0; n < 10; n += 1) challenges.push(await challengeOf(person));
      const guesses = Array.from({ length: 200 }, (_, n) => String(n).padStart(6, '0'));
      const right = code(person.secret);
      const answers = await Promise.all(
        guesses.filter((guess) => guess !== right).map((guess, n) => verify(challenges[n % 10]!, guess)),
      );
      expect(answers.filter((answer) => codeOf(answer) === 'SECOND_FACTOR_WRONG')).toHaveLength(3);
      expect(answers.filter((answer) => codeOf(answer) === 'SIGN_IN_LOCKED').length).toBeGreaterThan(190);
      // The right password clears no guesses at the code.
      const another = await challengeOf(person);
      expect(codeOf(await verify(another, right))).toBe('SIGN_IN_LOCKED');
      await later(31);
      expect(codeOf(await verify(another, code(person.secret)))).toBe('ok');
    });

    it('takes five answers a challenge', async () => {
      const person = await protectedPerson();
      const challenge = await challengeOf(person);
      const answers: string[] = [];
      for (let n = 0; n < 6; n += 1) {
        answers.push(codeOf(await verify(challenge, 'aaaa-aaaa-aaaa-aaaa')));
        await system.db.query("UPDATE attempt_counters SET failures = 0, locked_until = '-infinity'");
      }
      expect(answers).toEqual([...Array(5).fill('SECOND_FACTOR_WRONG'), 'CHALLENGE_INVALID']);
    });
  });

  describe('recovery codes', () => {
    it('open the account once each, however they are typed, and are told in the audit log', async () => {
      const person = await protectedPerson();
      const [first = '', second = ''] = person.recoveryCodes;
      expect(codeOf(await verify(await challengeOf(person), first.toUpperCase().replaceAll('-', '')))).toBe(
        'ok',
      );
      expect(codeOf(await verify(await challengeOf(person), first))).toBe('SECOND_FACTOR_WRONG');
      expect(codeOf(await verify(await challengeOf(person), second))).toBe('ok');
      const { rows } = await system.db.query(
        "SELECT details FROM audit_log WHERE subject_id = $1 AND action = 'auth.recovery-code-used' ORDER BY id",
        [person.client.userId],
      );
      expect(rows).toEqual([{ details: { left: 9 } }, { details: { left: 8 } }]);
    });

    it('open one session for ten who send one at once', async () => {
      const person = await protectedPerson();
      const challenges: string[] = [];
      for (let n = 0; n < 10; n += 1) challenges.push(await challengeOf(person));
      const answers = await Promise.all(challenges.map((one) => verify(one, person.recoveryCodes[0]!)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    });

    it("open nobody else's account", async () => {
      const [one, two] = [await protectedPerson(), await protectedPerson()];
      expect(codeOf(await verify(await challengeOf(one), two.recoveryCodes[0]!))).toBe('SECOND_FACTOR_WRONG');
    });

    it('are void once they are renewed', async () => {
      const person = await protectedPerson();
      const renewed = await person.client.post('auth/totp/recovery-codes', { code: code(person.secret) });
      expect(renewed.data.recoveryCodes).toHaveLength(10);
      expect(codeOf(await verify(await challengeOf(person), person.recoveryCodes[0]!))).toBe(
        'SECOND_FACTOR_WRONG',
      );
      expect(codeOf(await verify(await challengeOf(person), renewed.data.recoveryCodes[0]))).toBe('ok');
    });
  });

  describe('turning it off', () => {
    it('takes a code or a recovery code, and then the password is enough', async () => {
      for (const proof of ['code', 'recovery code']) {
        const person = await protectedPerson();
        const off = (given: string) => person.client.call('DELETE', 'auth/totp', { body: { code: given } });
        const wrong = await off('000000');
        expect([wrong.status, codeOf(wrong)]).toEqual([422, 'TOTP_CODE_WRONG']);
        expect(codeOf(await off(proof === 'code' ? code(person.secret) : person.recoveryCodes[3]!))).toBe(
          'ok',
        );
        expect(codeOf(await anyone.post('auth/login', { email: person.email, password: PASSWORD }))).toBe(
          'ok',
        );
        expect(codeOf(await off('000000'))).toBe('TOTP_NOT_ON');
        const { rows } = await system.db.query(
          "SELECT action FROM audit_log WHERE subject_id = $1 AND action LIKE 'auth.second-factor%' ORDER BY id",
          [person.client.userId],
        );
        expect(rows.map(({ action }) => action)).toEqual(['auth.second-factor-on', 'auth.second-factor-off']);
      }
    });

    it('locks after three wrong codes', async () => {
      const { client, secret } = await protectedPerson();
      const off = (given: string) => client.call('DELETE', 'auth/totp', { body: { code: given } });
      for (let n = 0; n < 3; n += 1) expect(codeOf(await off('000000'))).toBe('TOTP_CODE_WRONG');
      expect(codeOf(await off(code(secret)))).toBe('SIGN_IN_LOCKED');
    });

    it.each(['12345', '1234567', 'abc-def', 'aaaa-aaaa-aaaa', '１２３４５６', '123456\n'])(
      'refuses %j, which is no code',
      async (given) => {
        const { client } = await register();
        const answer = await client.call('DELETE', 'auth/totp', { body: { code: given } });
        expect(codeOf(answer)).toBe('VALIDATION_FAILED');
      },
    );
  });
});

describe('a role that needs a second factor', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystemWithRules(
      { auth: { secondFactor: { requiredRoles: ['admin'], challengeSeconds: 300, challengeTries: 5 } } },
      { worker: false, at: '2023-10-03T12:00:00Z' },
    );
  });
  afterAll(async () => system.stop());

  const outcome = ({ status, error }: Answer) => (status < 300 ? 'ok' : error.code);

  it('may do nothing that asks for a permission without one, and all else', async () => {
    const admin = await new Builders(system).admin();
    const queues = (client: Client) => client.get('admin/queues');
    expect(outcome(await queues(admin))).toBe('SECOND_FACTOR_SETUP_REQUIRED');
    expect(outcome(await admin.get('auth/sessions'))).toBe('ok');

    const { data } = await admin.post('auth/totp');
    const code = () =>
      generateSync({ secret: data.secret, epoch: Math.floor(system.now().getTime() / 1000) });
    expect(outcome(await queues(admin))).toBe('SECOND_FACTOR_SETUP_REQUIRED');
    await admin.post('auth/totp/confirm', { code: code() });
    expect(outcome(await queues(admin))).toBe('ok');

    await system.db.query('UPDATE sessions SET second_factor = false WHERE user_id = $1', [admin.userId]);
    expect(outcome(await queues(admin))).toBe('SECOND_FACTOR_SESSION_REQUIRED');
    await system.moveTo(new Date(system.now().getTime() + 30_000));
    await admin.call('DELETE', 'auth/totp', { body: { code: code() } });
    expect(outcome(await queues(admin))).toBe('SECOND_FACTOR_SETUP_REQUIRED');
  });

  it('does not concern those who may not do it anyway', async () => {
    const [player] = await new Builders(system).players(1);
    expect(outcome(await player!.get('admin/queues'))).toBe('FORBIDDEN');
  });
});
