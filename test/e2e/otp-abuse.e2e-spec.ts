import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OtpCodesService } from '../../src/modules/auth/otp/otp-codes.service.js';
import { Builders } from '../support/builders.js';
import { CaptchaProvider } from '../support/captcha-provider.js';
import { type Answer, Client } from '../support/client.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Texts } from '../support/texts.js';

const AT = '2023-10-03T12:00:00Z';
const SECRET = '0x0000000000000000000000000000000000000000';
let count = 0;
const newNumber = () => `+1201555${String((count += 1)).padStart(4, '0')}`;
const outcome = ({ status, error }: Answer) => (status < 300 ? 'ok' : error.code);

describe('a stranger who asks for codes', () => {
  let system: System;
  let texts: Texts;
  let anyone: Client;

  beforeAll(async () => {
    system = await startSystem({ at: AT });
    texts = new Texts(system);
    anyone = new Client(system.url);
  });
  afterAll(async () => system.stop());

  const ask = async (phone: string, deviceToken?: string) =>
    await anyone.post(
      'auth/otp/send',
      { phone },
      { headers: deviceToken ? { 'X-Device-Token': deviceToken } : {} },
    );
  const sentTo = (phone: string) => texts.sent.filter(({ to }) => to === phone).length;
  const later = async (seconds: number) =>
    await system.moveTo(new Date(system.now().getTime() + seconds * 1000));

  async function verify(phone: string, asked: Answer, code: string, account?: object): Promise<Answer> {
    const { challengeId } = asked.data;
    return await anyone.post('auth/otp/verify', { phone, challengeId, code, ...(account && { account }) });
  }

  /** An account by number, and the token of the device that opened it, an hour later. */
  async function owner(): Promise<{ phone: string; deviceToken: string }> {
    const phone = newNumber();
    const asked = await ask(phone);
    const [code] = await texts.codes(phone);
    const account = { handle: `abused_${count}`, birthDate: '1990-12-10', termsVersion: '2026-11' };
    const { data } = await verify(phone, asked, code!, account);
    await later(3601);
    return { phone, deviceToken: data.deviceToken };
  }

  /** Once every message that was asked for has been sent or held back. */
  async function settled(): Promise<void> {
    await eventually(async () => (await system.db.query('SELECT FROM outbox')).rowCount === 0);
    const marker = newNumber();
    await ask(marker);
    await texts.codes(marker);
  }

  it('burns neither the code nor the allowance of who has signed in on the device', async () => {
    const { phone, deviceToken } = await owner();
    const before = sentTo(phone);
    const theirs = [await ask(phone), await ask(phone), await ask(phone)];
    expect([...theirs.map(outcome), outcome(await ask(phone))]).toEqual(['ok', 'ok', 'ok', 'RATE_LIMITED']);
    for (const asked of theirs)
      for (let n = 0; n < 6; n += 1)
        expect(outcome(await verify(phone, asked, '000000'))).toBe('OTP_INVALID');
    await settled();
    expect(sentTo(phone)).toBe(before + 2);

    const mine = await ask(phone, deviceToken);
    expect(outcome(mine)).toBe('ok');
    const code = (await texts.codes(phone, before + 3)).at(-1)!;
    expect(outcome(await verify(phone, mine, code))).toBe('ok');
    expect(outcome(await ask(phone, deviceToken))).toBe('RATE_LIMITED');
    expect(sentTo(phone)).toBe(before + 3);
  });

  it("is not taken for the owner's device by a token that is made up, malformed or of another number", async () => {
    const [{ phone }, other] = [await owner(), await owner()];
    for (let n = 0; n < 3; n += 1) await ask(phone);
    for (const token of [other.deviceToken, 'A'.repeat(43), `${other.deviceToken.slice(0, 42)}_`, 'x', ''])
      expect(outcome(await ask(phone, token))).toBe('RATE_LIMITED');
  });

  it('with an account of their own does not eat what a number may get to sign in', async () => {
    const { phone } = await owner();
    const [user] = await new Builders(system).players(1);
    for (let n = 0; n < 3; n += 1) expect(outcome(await user!.post('auth/phone', { phone }))).toBe('ok');
    expect(outcome(await user!.post('auth/phone', { phone }))).toBe('RATE_LIMITED');
    const asked = await ask(phone);
    expect(outcome(asked)).toBe('ok');
    const code = (
      await eventually(async () => {
        const { rows } = await system.db.query(
          "SELECT sent_at FROM otp_challenges WHERE purpose = 'sign_in' ORDER BY id DESC LIMIT 1",
        );
        return rows[0].sent_at !== null && texts.sent.filter(({ to }) => to === phone).at(-1);
      })
    ).text.slice(0, 6);
    expect(outcome(await verify(phone, asked, code))).toBe('ok');
  });

  it('has a number that is nobody’s sent three', async () => {
    const phone = newNumber();
    for (let n = 0; n < 3; n += 1) await ask(phone);
    expect(await texts.codes(phone, 3)).toHaveLength(3);
  });
});

describe('guesses at the codes of one number', () => {
  it('are no more than are allowed in an hour, whichever code they are at and all at once', async () => {
    const system = await startSystemWithRules(
      {
        auth: {
          otp: {
            codeSeconds: 600,
            tries: 5,
            sendsPerHour: 3,
            sendsPerHourInAll: 1000,
            guessesPerHour: 7,
            countries: [],
          },
        },
      },
      { worker: false, at: AT },
    );
    try {
      const anyone = new Client(system.url);
      const phone = newNumber();
      const asked: string[] = [];
      for (let n = 0; n < 3; n += 1)
        asked.push((await anyone.post('auth/otp/send', { phone })).data.challengeId);
      const { rows } = await system.db.query('SELECT id FROM otp_challenges');
      const codes = system.app.get(OtpCodesService);
      for (const { id } of rows) await codes.renew(id);
      await Promise.all(
        Array.from({ length: 60 }, (_, n) =>
          anyone.post('auth/otp/verify', { phone, challengeId: asked[n % 3], code: '000000' }),
        ),
      );
      const tries = await system.db.query('SELECT sum(tries)::int AS n FROM otp_challenges');
      expect(tries.rows[0].n).toBe(7);
    } finally {
      await system.stop();
    }
  });
});

describe('text messages', () => {
  it('are three an hour by user and by subscriber’s network, to whatever numbers', async () => {
    const system = await startSystem({
      worker: false,
      env: { RATE_LIMIT_FACTOR: '1', TRUSTED_PROXIES: 'loopback' },
    });
    try {
      const anyone = new Client(system.url);
      const [one, two] = await new Builders(system).players(2);
      const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });
      const send = async (address: string) =>
        await anyone.post('auth/otp/send', { phone: newNumber() }, from(address));
      const change = async (client: Client, address: string) =>
        await client.post('auth/phone', { phone: newNumber() }, from(address));

      const six = await Promise.all(Array.from({ length: 9 }, (_, n) => send(`2001:db8:1:1::${n + 1}`)));
      expect(six.filter(({ status }) => status === 202)).toHaveLength(3);
      const refused = six.find(({ status }) => status === 429)!;
      expect(refused.error.details['limit']).toBe(3);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3500);
      expect(outcome(await change(one!, '2001:db8:1:1::a'))).toBe('RATE_LIMITED');
      expect(outcome(await send('2001:db8:1:2::1'))).toBe('ok');

      const wanders: string[] = [];
      for (let n = 1; n < 6; n += 1) wanders.push(outcome(await change(two!, `198.51.100.${n}`)));
      expect(wanders).toEqual(['ok', 'ok', 'ok', 'RATE_LIMITED', 'RATE_LIMITED']);
    } finally {
      await system.stop();
    }
  });

  it('are so many an hour in all and no more, and then the next hour again', async () => {
    const system = await startSystemWithRules(
      {
        auth: {
          otp: {
            codeSeconds: 600,
            tries: 5,
            sendsPerHour: 3,
            sendsPerHourInAll: 5,
            guessesPerHour: 15,
            countries: [],
          },
        },
      },
      { worker: false, at: '2023-10-03T12:20:00Z' },
    );
    try {
      const anyone = new Client(system.url);
      const send = async () => await anyone.post('auth/otp/send', { phone: newNumber() });
      const answers = await Promise.all(Array.from({ length: 12 }, send));
      expect(answers.filter(({ status }) => status === 202)).toHaveLength(5);
      const refused = answers.filter(({ status }) => status === 503);
      expect([refused.length, refused[0]!.error.code]).toEqual([7, 'SMS_UNAVAILABLE']);
      const seconds = Number(refused[0]!.headers.get('retry-after'));
      expect(seconds).toBeGreaterThan(2380);
      expect(seconds).toBeLessThanOrEqual(2400);
      const { rows } = await system.db.query('SELECT count(*)::int AS n FROM otp_challenges');
      expect(rows[0].n).toBe(5);
      await system.moveTo(new Date('2023-10-03T13:00:00Z'));
      expect(outcome(await send())).toBe('ok');
    } finally {
      await system.stop();
    }
  });

  it('to a number that is to be added ask for a CAPTCHA as well', async () => {
    const provider = new CaptchaProvider(SECRET, 'already-seen-response');
    const system = await startSystem({
      worker: false,
      env: {
        CAPTCHA_PROVIDER: 'hcaptcha',
        CAPTCHA_SECRET: SECRET,
        CAPTCHA_VERIFY_URL: `${(await provider.start()).url}/siteverify`,
      },
    });
    try {
      const [user] = await new Builders(system).players(1);
      const change = async (token: string | null) =>
        await user!.post(
          'auth/phone',
          { phone: newNumber() },
          { headers: token === null ? {} : { 'X-Captcha-Token': token } },
        );
      expect(outcome(await change(null))).toBe('CAPTCHA_REQUIRED');
      expect(outcome(await change(provider.solve()))).toBe('ok');
    } finally {
      await system.stop();
      await provider.stop();
    }
  });
});
