import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { OtpCodesService } from '../../src/modules/auth/otp/otp-codes.service.js';
import { BlindIndex } from '../../src/platform/security/blind-index.js';
import { SmsRefusedError } from '../../src/platform/sms/sms-sender.js';
import { Builders } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Texts } from '../support/texts.js';
import { Twilio } from '../support/twilio.js';

let count = 0;
const newNumber = () => `+1201555${String((count += 1)).padStart(4, '0')}`;
interface Proof {
  challengeId: string;
  code: string;
}

const outcome = ({ status, error }: Answer) => [status, error?.code];

describe('telephone numbers of accounts', () => {
  let system: System;
  let make: Builders;
  let texts: Texts;
  let anyone: Client;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    texts = new Texts(system);
    anyone = new Client(system.url);
  });
  afterAll(async () => system.stop());
  afterEach(() => {
    texts.onSend = () => undefined;
  });

  /** Asks for a code and reads it from the telephone. */
  async function proofOf(phone: string, ask: (body: object) => Promise<Answer>): Promise<Proof> {
    const before = texts.sent.filter(({ to }) => to === phone).length;
    const answer = await ask({ phone });
    expect(outcome(answer)).toEqual([202, undefined]);
    const code = (await texts.codes(phone, before + 1)).at(-1)!;
    return { challengeId: answer.data.challengeId, code };
  }

  const asUser = (client: Client) => async (body: object) => await client.post('auth/phone', body);
  const toSignIn = async (body: object) => await anyone.post('auth/otp/send', body);

  async function withPhone(): Promise<{ client: Client; phone: string }> {
    const [client] = await make.players(1);
    const phone = newNumber();
    const proof = await proofOf(phone, asUser(client!));
    expect((await client!.post('auth/phone/verify', { phone, ...proof })).status).toBe(200);
    return { client: client!, phone };
  }

  async function phonesOf(userId: string): Promise<unknown[]> {
    const { rows } = await system.db.query('SELECT verified_at FROM user_phones WHERE user_id = $1', [
      userId,
    ]);
    return rows;
  }

  it('are added by the code sent to them, and then sign in', async () => {
    const [client] = await make.players(1);
    const phone = newNumber();
    const proof = await proofOf(phone, asUser(client!));
    const { status, data } = await client!.post('auth/phone/verify', { phone, ...proof });
    expect([status, data.phone]).toEqual([200, phone]);
    expect(new Date(data.verifiedAt).getTime()).toBeLessThanOrEqual(system.now().getTime());
    const signedIn = await anyone.post('auth/otp/verify', { phone, ...(await proofOf(phone, toSignIn)) });
    expect([signedIn.status, signedIn.data.user.id]).toEqual([200, client!.userId]);
    const { rows } = await system.db.query(
      "SELECT actor_id, details FROM audit_log WHERE action = 'phone.changed' AND subject_id = $1",
      [client!.userId],
    );
    expect(rows).toEqual([{ actor_id: client!.userId, details: {} }]);
  });

  it('are changed, and the earlier one is free again', async () => {
    const { client, phone: earlier } = await withPhone();
    const later = newNumber();
    const proof = await proofOf(later, asUser(client));
    expect((await client.post('auth/phone/verify', { phone: later, ...proof })).status).toBe(200);
    expect(await phonesOf(client.userId)).toHaveLength(1);
    const byEarlier = await anyone.post('auth/otp/verify', {
      phone: earlier,
      ...(await proofOf(earlier, toSignIn)),
    });
    expect(outcome(byEarlier)).toEqual([409, 'REGISTRATION_REQUIRED']);
  });

  it('that are taken are told so to nobody but who has the code', async () => {
    const { phone } = await withPhone();
    const [other] = await make.players(1);
    const proof = await proofOf(phone, asUser(other!));
    const wrong = { ...proof, code: String((Number(proof.code) + 1) % 1_000_000).padStart(6, '0') };
    expect(outcome(await other!.post('auth/phone/verify', { phone, ...wrong }))).toEqual([
      401,
      'OTP_INVALID',
    ]);
    expect(outcome(await other!.post('auth/phone/verify', { phone, ...proof }))).toEqual([
      409,
      'PHONE_TAKEN',
    ]);
    expect(await phonesOf(other!.userId)).toEqual([]);
  });

  it('go to one of two who prove them at once', async () => {
    const two = await make.players(2);
    const phone = newNumber();
    const proofs = [await proofOf(phone, asUser(two[0]!)), await proofOf(phone, asUser(two[1]!))];
    const answers = await Promise.all(
      two.map((client, n) => client.post('auth/phone/verify', { phone, ...proofs[n] })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  });

  it('are not changed by a code that was sent to sign in, or to somebody else', async () => {
    const [one, two] = await make.players(2);
    const phone = newNumber();
    const toEnter = await proofOf(phone, toSignIn);
    expect(outcome(await one!.post('auth/phone/verify', { phone, ...toEnter }))).toEqual([
      401,
      'OTP_INVALID',
    ]);
    const toChange = await proofOf(phone, asUser(one!));
    expect(outcome(await two!.post('auth/phone/verify', { phone, ...toChange }))).toEqual([
      401,
      'OTP_INVALID',
    ]);
    expect(outcome(await anyone.post('auth/otp/verify', { phone, ...toChange }))).toEqual([
      401,
      'OTP_INVALID',
    ]);
    expect((await one!.post('auth/phone/verify', { phone, ...toChange })).status).toBe(200);
  });

  it('prove the owner of an idle session again, once', async () => {
    const { phone } = await withPhone();
    const signedIn = await anyone.post('auth/otp/verify', { phone, ...(await proofOf(phone, toSignIn)) });
    await system.moveTo(new Date(system.now().getTime() + 31 * 60_000));
    const { refreshToken } = signedIn.data;
    const refreshed = await anyone.post('auth/refresh', { refreshToken });
    const owner = new Client(system.url, refreshed.data.accessToken);
    const [stranger] = await make.players(1);
    const proof = await proofOf(phone, toSignIn);
    const change = async () => await owner.post('auth/phone', { phone: newNumber() });
    const prove = async (client: Client) => await client.post('auth/otp/reauthenticate', proof);
    expect(outcome(await change())).toEqual([403, 'REAUTHENTICATION_REQUIRED']);
    expect(outcome(await prove(stranger!))).toEqual([401, 'OTP_INVALID']);
    expect((await prove(owner)).status).toBe(200);
    expect((await change()).status).toBe(202);
    expect(outcome(await prove(owner))).toEqual([401, 'OTP_INVALID']);
  });

  it('tell who was erased while excluded or banned', async () => {
    const index = system.app.get(BlindIndex);
    const [excluded, banned] = await make.players(2);
    for (const [client, reason] of [
      [excluded!, 'self_exclusion'],
      [banned!, 'ban'],
    ] as const) {
      const phone = newNumber();
      await system.db.query('INSERT INTO barred_identities VALUES ($1, $2, $3, NULL, $4)', [
        index.of('phone', phone),
        client.userId,
        reason,
        system.now(),
      ]);
      const [newcomer] = await make.players(1);
      const proof = await proofOf(phone, asUser(newcomer!));
      const answer = await newcomer!.post('auth/phone/verify', { phone, ...proof });
      expect(outcome(answer)).toEqual(reason === 'ban' ? [403, 'BANNED'] : [200, undefined]);
      const { rows } = await system.db.query('SELECT kind FROM restrictions WHERE user_id = $1', [
        newcomer!.userId,
      ]);
      expect(rows).toEqual(reason === 'ban' ? [] : [{ kind: 'self_exclusion' }]);
      expect(await phonesOf(newcomer!.userId)).toHaveLength(reason === 'ban' ? 0 : 1);
    }
  });

  it('tell who has excluded themselves and then changed their number, and what they play with elsewhere ends', async () => {
    const { phone, client } = await withPhone();
    expect((await client.post('compliance/self-exclusion', { months: 12 })).status).toBe(201);
    const next = newNumber();
    const changed = await client.post('auth/phone/verify', {
      phone: next,
      ...(await proofOf(next, asUser(client))),
    });
    expect(outcome(changed)).toEqual([200, undefined]);
    const restrictionsOf = async ({ userId }: Client) =>
      (await system.db.query('SELECT ends_at FROM restrictions WHERE user_id = $1', [userId])).rows;
    const own = await restrictionsOf(client);
    expect(own).toHaveLength(1);

    const [other] = (await make.players(1)) as [Client];
    const proof = await proofOf(phone, asUser(other));
    expect((await other.post('auth/phone/verify', { phone, ...proof })).status).toBe(200);
    expect(await restrictionsOf(other)).toEqual(own);
    const { rows } = await system.db.query(
      "SELECT 1 FROM audit_log WHERE subject_id = $1 AND action = 'compliance.self-exclusion'",
      [other.userId],
    );
    expect(rows).toHaveLength(1);
  });

  describe('when the carrier', () => {
    it('fails, are sent a new code, and the one before it is worth nothing', async () => {
      const phone = newNumber();
      const tried: string[] = [];
      texts.onSend = (sms) => {
        if (sms.to !== phone) return;
        tried.push(sms.text.slice(0, 6));
        if (tried.length < 3) throw new Error('the carrier is away');
      };
      const proof = await proofOf(phone, toSignIn);
      expect([tried.length, tried.at(-1)]).toEqual([3, proof.code]);
      const early = tried.filter((one) => one !== proof.code);
      for (const one of early)
        expect(outcome(await anyone.post('auth/otp/verify', { phone, ...proof, code: one }))).toEqual([
          401,
          'OTP_INVALID',
        ]);
      const right = await anyone.post('auth/otp/verify', { phone, ...proof });
      expect(outcome(right)).toEqual([409, 'REGISTRATION_REQUIRED']);
    });

    it('refuses them, are not tried again', async () => {
      const phone = newNumber();
      let tries = 0;
      texts.onSend = (sms) => {
        if (sms.to !== phone) return;
        tries += 1;
        throw new SmsRefusedError('twilio 21610');
      };
      await toSignIn({ phone });
      await eventually(async () => Promise.resolve(tries === 1));
      const next = newNumber();
      await proofOf(next, toSignIn);
      expect(tries).toBe(1);
    });
  });

  it('are not sent what was asked for too long ago, or was sent', async () => {
    const codes = system.app.get(OtpCodesService, { strict: false });
    const phone = newNumber();
    await proofOf(phone, toSignIn);
    const challenges = async () =>
      (
        await system.db.query<{ id: string; sent_at: Date | null }>(
          `SELECT id, sent_at FROM otp_challenges WHERE number_index =
             (SELECT number_index FROM otp_challenges ORDER BY id DESC LIMIT 1) ORDER BY id`,
        )
      ).rows;
    const [first] = await eventually(async () => {
      const rows = await challenges();
      return rows[0]!.sent_at !== null && rows;
    });
    expect(await codes.renew(first!.id)).toBeNull();
    await system.db.query('UPDATE otp_challenges SET sent_at = NULL WHERE id = $1', [first!.id]);
    expect(await codes.renew(first!.id)).toMatchObject({ to: phone });
    await proofOf(phone, toSignIn);
    const [, second] = await challenges();
    await system.db.query('UPDATE otp_challenges SET sent_at = NULL WHERE id = $1', [second!.id]);
    await system.moveTo(new Date(system.now().getTime() + 601_000));
    expect(await codes.renew(second!.id)).toBeNull();
  });

  it('are forgotten with their codes a day later', async () => {
    const codes = system.app.get(OtpCodesService, { strict: false });
    await proofOf(newNumber(), toSignIn);
    const left = async () =>
      (await system.db.query<{ n: number }>('SELECT count(*)::int AS n FROM otp_challenges')).rows[0]!.n;
    const [forget] = codes.forgets;
    expect([await forget!(1000), (await left()) > 0]).toEqual([0, true]);
    await system.moveTo(new Date(system.now().getTime() + 25 * 3_600_000));
    expect(await forget!(2)).toBe(2);
    await forget!(1000);
    expect(await left()).toBe(0);
  });
});

describe('a system with Twilio', () => {
  it('sends its codes by it, and another one when it fails', async () => {
    const twilio = await new Twilio().start();
    const system = await startSystem({ env: twilio.env });
    try {
      const anyone = new Client(system.url);
      const phone = newNumber();
      twilio.next = [{ status: 503 }, 'break', { status: 429, code: 20429 }];
      const asked = await anyone.post('auth/otp/send', { phone });
      expect(asked.status).toBe(202);
      const [message] = await eventually(async () =>
        Promise.resolve(twilio.messages.length > 0 && twilio.messages),
      );
      expect([message!['To'], twilio.next, twilio.problems]).toEqual([phone, [], []]);
      const code = message!['Body']!.slice(0, 6);
      const { challengeId } = asked.data;
      const right = await anyone.post('auth/otp/verify', { phone, challengeId, code });
      expect(outcome(right)).toEqual([409, 'REGISTRATION_REQUIRED']);
    } finally {
      await system.stop();
      await twilio.stop();
    }
  });
});
