import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';
import { Texts } from '../support/texts.js';
import { Values } from '../support/values.js';

interface Proof {
  challengeId: string;
  code: string;
}

const NO_CHALLENGE = 'A'.repeat(43);
const BIRTH = { birthDate: '1990-12-10', termsVersion: '2026-11' };

describe('signing in by telephone', () => {
  let system: System;
  let make: Builders;
  let texts: Texts;
  let anyone: Client;
  let count = 0;

  beforeAll(async () => {
    system = await startSystem({
      at: '2023-10-03T12:00:00Z',
      env: { TRUSTED_PROXIES: 'loopback', GEO_DATABASE: '' },
    });
    make = new Builders(system);
    await make.week(202340, { group: false });
    texts = new Texts(system);
    anyone = new Client(system.url);
  });
  afterAll(async () => system.stop());
  afterEach(() => {
    texts.onSend = () => undefined;
  });

  const newNumber = () => `+1201555${String((count += 1)).padStart(4, '0')}`;
  const newAccount = (over: object = {}) => ({ handle: `caller_${(count += 1)}`, ...BIRTH, ...over });
  const outcome = ({ status, error }: Answer) => [status, error?.code];
  const send = async (phone: string, deviceToken?: string) =>
    await anyone.post(
      'auth/otp/send',
      { phone },
      { headers: deviceToken === undefined ? {} : { 'X-Device-Token': deviceToken } },
    );
  const verify = async (phone: string, proof: Proof, account?: object) =>
    await anyone.post('auth/otp/verify', { phone, ...proof, ...(account && { account }) });
  const otherThan = ({ challengeId, code }: Proof): Proof => ({
    challengeId,
    code: String((Number(code) + 1) % 1_000_000).padStart(6, '0'),
  });

  /** Asks for a code and reads it from the telephone. */
  async function codeOf(phone: string, deviceToken?: string): Promise<Proof> {
    const before = texts.sent.filter(({ to }) => to === phone).length;
    const answer = await send(phone, deviceToken);
    expect(outcome(answer)).toEqual([202, undefined]);
    const code = (await texts.codes(phone, before + 1)).at(-1)!;
    return { challengeId: answer.data.challengeId, code };
  }

  async function registered(phone = newNumber()): Promise<Client & { phone: string; deviceToken: string }> {
    const { data } = await verify(phone, await codeOf(phone), newAccount());
    const { deviceToken } = data;
    return Object.assign(new Client(system.url, data.accessToken, data.user.id), { phone, deviceToken });
  }

  async function moveBy(seconds: number): Promise<void> {
    await system.moveTo(new Date(system.now().getTime() + seconds * 1000));
  }

  it('opens no account in a closed place, where those that there are sign in', async () => {
    const phone = newNumber();
    const headers = { 'X-Forwarded-For': '175.45.176.1' };
    const proof = await codeOf(phone);
    const body = { phone, ...proof, account: newAccount() };
    expect(outcome(await anyone.post('auth/otp/verify', body, { headers }))).toEqual([451, 'GEO_BLOCKED']);
    expect(outcome(await anyone.post('auth/otp/verify', body))).toEqual([200, undefined]);
    const again = { phone, ...(await codeOf(phone)) };
    expect(outcome(await anyone.post('auth/otp/verify', again, { headers }))).toEqual([200, undefined]);
  });

  it('opens an account with a code, and signs in to it with the next', async () => {
    const phone = newNumber();
    const account = newAccount({ displayName: 'Ada Lovelace' });
    const opened = await verify(phone, await codeOf(phone), account);
    expect(outcome(opened)).toEqual([200, undefined]);
    expect(opened.data.user).toMatchObject({
      email: null,
      handle: account.handle,
      displayName: 'Ada Lovelace',
      role: 'user',
    });
    const again = await verify(phone, await codeOf(phone));
    expect([again.status, again.data.user]).toEqual([200, opened.data.user]);
    const me = await new Client(system.url, again.data.accessToken).get('me');
    expect([me.status, me.data.user.id]).toEqual([200, opened.data.user.id]);
    const { rows } = await system.db.query('SELECT DISTINCT proof FROM sessions WHERE user_id = $1', [
      opened.data.user.id,
    ]);
    expect(rows).toEqual([{ proof: 'otp' }]);
  });

  it('tells how long a code works, and sends it with words of its own', async () => {
    const phone = newNumber();
    const { data } = await send(phone);
    expect(data).toEqual({ challengeId: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/), expiresIn: 600 });
    const [code] = await texts.codes(phone);
    expect(texts.sent.find(({ to }) => to === phone)).toEqual({
      to: phone,
      text: `${code} is your Parley code. It works for 10 minutes. We never ask you for it.`,
      validSeconds: 600,
    });
  });

  it('knows a number however it is written', async () => {
    const phone = newNumber();
    const spoken = `+1 (${phone.slice(2, 5)}) ${phone.slice(5, 8)}-${phone.slice(8)}`;
    const code = await codeOf(phone);
    expect((await verify(spoken, code, newAccount())).status).toBe(200);
  });

  it.each([
    ['without a country', '2015550123', 400],
    ['of words', '+1 CALL ME NOW', 400],
    ['that is too short', '+1201555', 422],
    ['that no country has', '+999 1234 5678', 422],
    ['of premium rate', '+19002345678', 422],
    ['of a landline', '+442079460958', 422],
    ['that is free of charge', '+18002345678', 422],
  ])('sends nothing to a number %s', async (_, phone, status) => {
    const code = status === 400 ? 'VALIDATION_FAILED' : 'PHONE_NUMBER_INVALID';
    expect(outcome(await send(phone))).toEqual([status, code]);
    expect(outcome(await verify(phone, { challengeId: NO_CHALLENGE, code: '123456' }))).toEqual([
      status,
      code,
    ]);
  });

  it('keeps neither the number nor the code where somebody could read it', async () => {
    const { phone } = await registered();
    const { challengeId, code } = await codeOf(phone);
    const values = new Values(system);
    expect(await values.placesOf(phone, phone.slice(1), challengeId)).toEqual([]);
    expect(await values.placesOf(`"${code}"`, `${code} is`)).toEqual([]);
    const { rows } = await system.db.query('SELECT code_hash, salt FROM otp_challenges');
    expect(rows.filter((row) => row.code_hash?.length !== 32 || row.salt?.length !== 16)).toEqual([]);
    expect(new Set(rows.map((row) => row.salt.toString('hex'))).size).toBe(rows.length);
  });

  describe('what is proved and cannot be done', () => {
    it('leaves the code usable, and costs none of its tries', async () => {
      const { data } = await anyone.post('auth/register', {
        ...newAccount({ handle: 'taken_one' }),
        email: 'taken@example.com',
        password: 'correct horse battery',
      });
      expect(data.user.handle).toBe('taken_one');
      const phone = newNumber();
      const code = await codeOf(phone);
      const refused: [object | undefined, number, string][] = [
        [undefined, 409, 'REGISTRATION_REQUIRED'],
        [newAccount({ handle: 'TAKEN_ONE' }), 409, 'HANDLE_TAKEN'],
        [newAccount({ handle: 'Parley_Support' }), 422, 'HANDLE_RESERVED'],
        [newAccount({ termsVersion: '2020-01' }), 409, 'TERMS_VERSION_OUTDATED'],
        [undefined, 409, 'REGISTRATION_REQUIRED'],
        [undefined, 409, 'REGISTRATION_REQUIRED'],
      ];
      for (const [account, status, error] of refused)
        expect(outcome(await verify(phone, code, account))).toEqual([status, error]);
      expect((await verify(phone, code, newAccount())).status).toBe(200);
    });

    it('tells a banned user so, once', async () => {
      const { phone, userId } = await registered();
      await system.db.query("UPDATE users SET status = 'banned' WHERE id = $1", [userId]);
      const code = await codeOf(phone);
      expect(outcome(await verify(phone, code))).toEqual([403, 'BANNED']);
      expect(outcome(await verify(phone, code))).toEqual([401, 'OTP_INVALID']);
    });

    it.each(['admin', 'ROOT', 'Par_ley', '__support__', 'Null'])(
      'refuses the handle %s to every way in',
      async (handle) => {
        const phone = newNumber();
        const byPhone = await verify(phone, await codeOf(phone), newAccount({ handle }));
        const byEmail = await anyone.post('auth/register', {
          ...newAccount({ handle }),
          email: `${count}@example.com`,
          password: 'correct horse battery',
        });
        for (const answer of [byPhone, byEmail])
          expect([...outcome(answer), answer.error.details]).toEqual([
            422,
            'HANDLE_RESERVED',
            { field: 'handle' },
          ]);
      },
    );
  });

  describe('a code', () => {
    it('works once', async () => {
      const phone = newNumber();
      const code = await codeOf(phone);
      expect((await verify(phone, code, newAccount())).status).toBe(200);
      expect(outcome(await verify(phone, code))).toEqual([401, 'OTP_INVALID']);
    });

    it('opens one account for fifty who send it at once', async () => {
      const phone = newNumber();
      const code = await codeOf(phone);
      const answers = await Promise.all(Array.from({ length: 50 }, () => verify(phone, code, newAccount())));
      const opened = answers.filter(({ status }) => status === 200);
      expect(opened).toHaveLength(1);
      expect(answers.filter(({ error }) => error?.code === 'OTP_INVALID')).toHaveLength(49);
      const { rows } = await system.db.query(
        "SELECT count(*)::int AS n FROM users WHERE email IS NULL AND handle LIKE 'caller_%' AND id NOT IN (SELECT user_id FROM user_phones)",
      );
      expect(rows[0].n).toBe(0);
    });

    it('is compared with five of two hundred guesses that are sent at once', async () => {
      const { phone, deviceToken } = await registered();
      const { challengeId, code } = await codeOf(phone);
      const guesses = Array.from({ length: 220 }, (_, n) => String(n * 4001).padStart(6, '0'))
        .filter((guess) => guess !== code)
        .slice(0, 200);
      const answers = await Promise.all(guesses.map((guess) => verify(phone, { challengeId, code: guess })));
      expect(new Set(answers.map((answer) => outcome(answer).join(' ')))).toEqual(
        new Set(['401 OTP_INVALID']),
      );
      const { rows } = await system.db.query(
        'SELECT tries FROM otp_challenges WHERE used_at IS NULL ORDER BY id DESC LIMIT 1',
      );
      expect(rows[0].tries).toBe(5);
      expect(outcome(await verify(phone, { challengeId, code }))).toEqual([401, 'OTP_INVALID']);
      expect((await verify(phone, await codeOf(phone, deviceToken))).status).toBe(200);
    });

    it('may be mistyped four times', async () => {
      const phone = newNumber();
      const code = await codeOf(phone);
      for (let tries = 0; tries < 4; tries += 1) await verify(phone, otherThan(code), newAccount());
      expect((await verify(phone, code, newAccount())).status).toBe(200);
    });

    it('works for ten minutes', async () => {
      const [early, late] = [newNumber(), newNumber()];
      const codes = [await codeOf(early), await codeOf(late)];
      await moveBy(590);
      expect((await verify(early, codes[0]!, newAccount())).status).toBe(200);
      await moveBy(11);
      expect(outcome(await verify(late, codes[1]!, newAccount()))).toEqual([401, 'OTP_INVALID']);
    });

    it('is not put out of use by one that somebody else asks for, nor compared with theirs', async () => {
      const phone = newNumber();
      const [mine, theirs] = [await codeOf(phone), await codeOf(phone)];
      const mixed = { challengeId: theirs.challengeId, code: mine.code };
      for (let tries = 0; tries < 6; tries += 1)
        expect(outcome(await verify(phone, mixed, newAccount()))).toEqual([401, 'OTP_INVALID']);
      expect((await verify(phone, mine, newAccount())).status).toBe(200);
    });

    it('is compared for nobody who does not bring what was answered to who asked for it', async () => {
      const phone = newNumber();
      const mine = await codeOf(phone);
      const { rows } = await system.db.query('SELECT id FROM otp_challenges ORDER BY id DESC LIMIT 1');
      for (const challengeId of [NO_CHALLENGE, Buffer.from(rows[0].id.slice(0, 32)).toString('base64url')])
        for (let tries = 0; tries < 10; tries += 1)
          expect(outcome(await verify(phone, { ...mine, challengeId }))).toEqual([401, 'OTP_INVALID']);
      expect((await verify(phone, mine, newAccount())).status).toBe(200);
    });

    it('is of its own number only', async () => {
      const [mine, other] = [newNumber(), newNumber()];
      const [code] = [await codeOf(mine), await codeOf(other)];
      expect(outcome(await verify(other, code, newAccount()))).toEqual([401, 'OTP_INVALID']);
    });
  });

  it('sends a number three codes an hour, whoever asks and at once', async () => {
    const phone = newNumber();
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(phone)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(3);
    const refused = answers.filter(({ error }) => error?.code === 'RATE_LIMITED');
    expect(refused).toHaveLength(17);
    expect(refused[0]!.error.details).toMatchObject({ limit: 3, retryAfter: expect.any(Number) });
    expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(3590);
    await moveBy(3590);
    expect(outcome(await send(phone))).toEqual([429, 'RATE_LIMITED']);
    await moveBy(15);
    expect((await send(phone)).status).toBe(202);
  });
});
