import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ChecksService } from '../../src/modules/payments/checks.service.js';
import type { Client } from '../support/client.js';
import { type PaymentsBench, paysByBank, START } from '../support/payments.js';

let bench: PaymentsBench;
let player: Client;

paysByBank({}, (paying) => {
  ({ bench, player } = paying);
});
beforeEach(() => {
  bench.bank.mood = 'well';
  bench.shop.refuses = null;
});

const later = async (minutes: number) =>
  bench.system.moveTo(new Date(bench.system.now().getTime() + minutes * 60_000));
const check = async () => {
  await bench.system.app.get(ChecksService).run();
  await bench.deliver();
};
const stateOf = async (id: string) => (await player.get(`payments/${id}`)).data;

describe('a deposit', () => {
  it('is in the wallet once the provider says so, and not before', async () => {
    const { status, data } = await bench.checkout(player);
    expect([status, data]).toEqual([
      201,
      {
        paymentId: expect.any(String),
        purpose: 'deposit',
        amount: { amount: 2500, currency: 'USD' },
        provider: 'scripted',
        redirectUrl: `${bench.bank.url}/pay/bank_${data.paymentId}`,
        createdAt: expect.any(String),
      },
    ]);
    expect((await stateOf(data.paymentId)).status).toBe('pending');
    expect((await player.get('wallet')).data.balances).toEqual([
      { currency: 'USD', available: 0, held: 0, pending: 2500 },
    ]);
    await bench.tell(data.paymentId, { status: 'succeeded' });
    expect((await player.get('wallet')).data.balances).toEqual([
      { currency: 'USD', available: 2500, held: 0, pending: 0 },
    ]);
    expect(await stateOf(data.paymentId)).toMatchObject({
      status: 'succeeded',
      paid: { amount: 2500, currency: 'USD' },
      refunded: { amount: 0, currency: 'USD' },
      redirectUrl: null,
      confirmedAt: expect.any(String),
    });
  });

  it('may be begun in the wallet, in a currency without a minor unit', async () => {
    const body = { amount: 37_000, currency: 'UGX', provider: 'scripted' };
    const { status, data } = await player.post('wallet/deposits', body, { key: randomUUID() });
    expect([status, data.amount]).toEqual([201, { amount: 37_000, currency: 'UGX' }]);
    expect(bench.bank.payments.get(data.paymentId)).toMatchObject({ amount: 37_000, currency: 'UGX' });
    await bench.tell(data.paymentId, { status: 'succeeded' });
    expect(await bench.available(player, 'UGX')).toBe(37_000);
  });

  it.each([
    [{ amount: 499 }, 'AMOUNT_OUT_OF_RANGE'],
    [{ amount: 500_001 }, 'AMOUNT_OUT_OF_RANGE'],
    [{ amount: undefined }, 'AMOUNT_OUT_OF_RANGE'],
    [{ currency: 'JPY' }, 'CURRENCY_NOT_TAKEN'],
    [{ purpose: 'week_pass', amount: 999 }, 'AMOUNT_OUT_OF_RANGE'],
    [{ purpose: 'subscription', currency: 'UGX', amount: undefined }, 'CURRENCY_NOT_TAKEN'],
    [{ provider: 'nobody' }, 'PAYMENT_PROVIDER_UNKNOWN'],
    [{ currency: 'XAF', amount: 600 }, 'PROVIDER_CANNOT_DO'],
    [{ amount: 10.5 }, 'VALIDATION_FAILED'],
    [{ currency: 'usd' }, 'VALIDATION_FAILED'],
  ])('of %j is refused, and nobody is asked', async (body, code) => {
    const asked = bench.bank.asked.length;
    const { error } = await bench.checkout(player, body);
    expect(error.code).toBe(code);
    expect(bench.bank.asked).toHaveLength(asked);
    expect((await player.get('payments')).data).toEqual([]);
  });

  it('is for nobody who has excluded themselves, however it is asked', async () => {
    await bench.system.db.query(
      `INSERT INTO restrictions (id, user_id, kind, starts_at) VALUES ($1, $2, 'self_exclusion', $3)`,
      [randomUUID(), player.userId, START],
    );
    for (const body of [{}, { purpose: 'week_pass', amount: undefined }])
      expect((await bench.checkout(player, body)).error.code).toBe('SELF_EXCLUDED');
  });

  it('whose payer was excluded while the page was open goes back, past the wallet', async () => {
    const id = await bench.begin(player);
    await bench.system.db.query(
      `INSERT INTO restrictions (id, user_id, kind, starts_at) VALUES ($1, $2, 'self_exclusion', $3)`,
      [randomUUID(), player.userId, START],
    );
    await bench.tell(id, { status: 'succeeded' });
    expect(await stateOf(id)).toMatchObject({
      status: 'refunded',
      paid: { amount: 2500, currency: 'USD' },
      refunded: { amount: 2500, currency: 'USD' },
    });
    expect((await player.get('wallet/transactions')).data).toEqual([]);
    const { rows } = await bench.system.db.query(
      "SELECT actor_id, details FROM audit_log WHERE action = 'payment.refund' AND subject_id = $1",
      [id],
    );
    expect(rows).toMatchObject([{ actor_id: null, details: { amount: 2500, currency: 'USD' } }]);
  });

  it("is nobody else's to see", async () => {
    const [other] = await bench.make.players(1);
    const id = await bench.begin(player);
    const { status, error } = await other!.get(`payments/${id}`);
    expect([status, error.code]).toEqual([404, 'PAYMENT_NOT_FOUND']);
    expect((await other!.get('payments')).data).toEqual([]);
  });
});

describe('what is bought', () => {
  it('costs what the rules say and is told to whose it is, in the transaction that books it', async () => {
    const id = await bench.paid(player, { purpose: 'week_pass', amount: undefined });
    expect(bench.shop.paidFor.filter(({ paymentId }) => paymentId === id)).toEqual([
      {
        paymentId: id,
        userId: player.userId,
        purpose: 'week_pass',
        amount: 1000n,
        currency: 'USD',
        subject: '202340',
        periodStart: null,
        periodEnd: null,
      },
    ]);
    expect(await stateOf(id)).toMatchObject({ status: 'succeeded', subject: '202340' });
    expect(await bench.available(player)).toBe(0);
  });

  it('is paid back by itself when it can no longer be had', async () => {
    bench.shop.refuses = 'BUY_BACK_CLOSED';
    const id = await bench.paid(player, { purpose: 'buy_back', amount: undefined });
    expect(await stateOf(id)).toMatchObject({
      status: 'refunded',
      refunded: { amount: 500, currency: 'USD' },
    });
    expect([...bench.bank.refunds.values()].at(-1)).toMatchObject({ amount: 500, status: 'succeeded' });
    expect(bench.shop.takenBack).toEqual([]); // nothing was given
  });
});

describe('a checkout asked for again', () => {
  it('is answered the same, however the payment has gone on', async () => {
    const key = randomUUID();
    const first = await bench.checkout(player, {}, key);
    const again = await bench.checkout(player, {}, key);
    await bench.tell(first.data.paymentId, { status: 'failed', failureCode: 'card_declined' });
    const last = await bench.checkout(player, {}, key);
    expect([again.body, last.body]).toEqual([first.body, first.body]);
    expect([first, again, last].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([
      null,
      'true',
      'true',
    ]);
    expect((await bench.checkout(player, { amount: 2501 }, key)).error.code).toBe('IDEMPOTENCY_KEY_REUSED');
    expect((await player.get('payments')).data).toHaveLength(1);
  });

  it('50 times at once is one payment and one checkout, with 50 equal answers', async () => {
    const key = randomUUID();
    const before = bench.bank.asked.length;
    const answers = await Promise.all(Array.from({ length: 50 }, () => bench.checkout(player, {}, key)));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers[0]!.status).toBe(201);
    expect(bench.bank.asked.length - before).toBe(1);
    expect((await player.get('payments')).data).toHaveLength(1);
  });
});

describe('a crash', () => {
  it('before the provider was asked leaves nothing but a payment that expires', async () => {
    const key = randomUUID();
    bench.bank.mood = 'down';
    const { status, error, headers } = await bench.checkout(player, {}, key);
    expect([status, error.code, headers.get('retry-after')]).toEqual([503, 'PROVIDER_UNAVAILABLE', '2']);
    const [{ id, status: waiting }] = (await player.get('payments')).data;
    expect(waiting).toBe('created');
    bench.bank.mood = 'well';
    await later(16);
    await check();
    expect(await stateOf(id)).toMatchObject({ status: 'expired', failureCode: 'unknown_to_provider' });
    expect((await bench.checkout(player, {}, key)).error.code).toBe('PAYMENT_DECLINED');
  });

  it('before the answer came is gone on from by asking again', async () => {
    const key = randomUUID();
    bench.bank.mood = 'lost';
    expect((await bench.checkout(player, {}, key)).error.code).toBe('PROVIDER_UNAVAILABLE');
    bench.bank.mood = 'well';
    const { status, data } = await bench.checkout(player, {}, key);
    expect([status, bench.bank.payments.has(data.paymentId)]).toEqual([201, true]);
    expect((await player.get('payments')).data).toMatchObject([{ id: data.paymentId, status: 'pending' }]);
  });

  it('of the process that was asking is gone on from when its time is over', async () => {
    const key = randomUUID();
    bench.bank.mood = 'down';
    await bench.checkout(player, {}, key);
    bench.bank.mood = 'well';
    await bench.system.db.query('UPDATE payments SET opening_until = $2 WHERE user_id = $1', [
      player.userId,
      new Date(bench.system.now().getTime() + 30_000),
    ]);
    const { status, error } = await bench.checkout(player, {}, key);
    expect([status, error.code]).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
    await later(1);
    expect((await bench.checkout(player, {}, key)).status).toBe(201);
  });

  it('before the answer came loses no money: the webhook finds the payment by our id', async () => {
    bench.bank.mood = 'lost';
    await bench.checkout(player);
    bench.bank.mood = 'well';
    const [{ id }] = (await player.get('payments')).data;
    await bench.tell(id, { status: 'succeeded' });
    expect((await stateOf(id)).status).toBe('succeeded');
    expect(await bench.available(player)).toBe(2500);
  });

  it('before the answer came loses no money: nor when nobody tells, for the provider is asked', async () => {
    bench.bank.mood = 'lost';
    await bench.checkout(player);
    bench.bank.mood = 'well';
    const [{ id }] = (await player.get('payments')).data;
    bench.bank.decide(id, { status: 'succeeded' });
    await check();
    expect((await stateOf(id)).status).toBe('created'); // not yet: it may still be told
    await later(16);
    await check();
    expect((await stateOf(id)).status).toBe('succeeded');
    expect(await bench.available(player)).toBe(2500);
  });

  it('after a webhook without our id was here keeps it until its reference is known', async () => {
    const key = randomUUID();
    bench.bank.mood = 'lost';
    await bench.checkout(player, {}, key);
    bench.bank.mood = 'well';
    const [{ id }] = (await player.get('payments')).data;
    await bench.tell(id, { status: 'succeeded' }, { ourId: null });
    expect((await stateOf(id)).status).toBe('created');
    expect((await bench.checkout(player, {}, key)).status).toBe(201);
    await bench.deliver();
    expect((await stateOf(id)).status).toBe('succeeded');
    expect(await bench.available(player)).toBe(2500);
  });
});

describe('a provider that declines the checkout', () => {
  it('is told to the payer at once, and again when they ask again', async () => {
    const key = randomUUID();
    bench.bank.mood = 'declined';
    const first = await bench.checkout(player, {}, key);
    bench.bank.mood = 'well';
    const again = await bench.checkout(player, {}, key);
    for (const { status, error } of [first, again])
      expect([status, error.code, error.details['failureCode']]).toEqual([
        422,
        'PAYMENT_DECLINED',
        'refused',
      ]);
    expect((await player.get('payments')).data).toMatchObject([{ status: 'failed' }]);
  });
});

describe('failing again and again', () => {
  it('five times in ten minutes blocks paying for an hour', async () => {
    for (let n = 1; n <= 5; n += 1) {
      const id = await bench.begin(player);
      await bench.tell(id, { status: 'failed', failureCode: 'card_declined' });
      await later(2);
    }
    const { status, error, headers } = await bench.checkout(player);
    expect([status, error.code, headers.get('retry-after')]).toEqual([429, 'DEPOSITS_BLOCKED', '3480']);
    const [other] = await bench.make.players(1);
    expect((await bench.checkout(other!)).status).toBe(201);
    await later(58);
    expect((await bench.checkout(player)).status).toBe(201);
  });

  it('is bounded as well while it has not failed yet: 20 at once begin five', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => bench.checkout(player)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    expect(new Set(answers.filter(({ status }) => status !== 201).map(({ error }) => error.code))).toEqual(
      new Set(['TOO_MANY_OPEN_PAYMENTS']),
    );
  });
});
