import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ChecksService } from '../../src/modules/payments/checks.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { LedgerService } from '../../src/modules/wallet/ledger.service.js';
import { Builders } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { PaymentsBench } from '../support/payments.js';
import { startSystemWithRules } from '../support/rules-folder.js';

const START = '2023-10-03T12:00:00Z';

let bench: PaymentsBench;
let make: Builders;
let player: Client;
let admin: Client;

beforeAll(async () => {
  bench = await PaymentsBench.open(await startSystemWithRules({}, { worker: false, at: START }));
  make = new Builders(bench.system);
  admin = await make.admin();
});
afterAll(async () => bench.close());

beforeEach(async () => {
  await bench.system.moveTo(START);
  [player] = (await make.players(1)) as [Client];
  bench.bank.mood = 'well';
  bench.bank.refundsBecome = 'succeeded';
});
afterEach(async () => {
  await bench.deliver();
  expect(await bench.problems()).toEqual([]);
});

const refund = async (id: string, body: object = {}, key: string = randomUUID()): Promise<Answer> =>
  await admin.post(`admin/payments/${id}/refund`, { reason: 'Asked for it', ...body }, { key });
const paymentOf = async (id: string) => (await admin.get(`admin/payments/${id}`)).data;
const takenBack = (id: string) => bench.shop.takenBack.filter(({ paymentId }) => paymentId === id).length;

describe('a refund', () => {
  it('takes the money from the wallet at once, and from the provider when that has done it', async () => {
    const id = await bench.paid(player);
    const { status, data } = await refund(id);
    expect([status, data]).toMatchObject([
      202,
      { status: 'requested', amount: { amount: 2500, currency: 'USD' } },
    ]);
    expect([await bench.available(player), (await paymentOf(id)).status]).toEqual([0, 'refunding']);
    expect(await bench.problems()).toEqual([]);
    await bench.deliver();
    expect(await paymentOf(id)).toMatchObject({
      status: 'refunded',
      refunded: { amount: 2500 },
      refunds: [{ id: data.id, status: 'succeeded', completedAt: expect.any(String) }],
    });
    const [audit] = (await admin.get('admin/audit?limit=100')).data.filter(
      (row: { action: string }) => row.action === 'payment.refund',
    );
    expect(audit).toMatchObject({ subjectId: id, actorId: admin.userId });
  });

  it('twice at once for the whole happens once', async () => {
    const id = await bench.paid(player);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refund(id)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(new Set(answers.filter(({ status }) => status !== 202).map(({ error }) => error.code))).toEqual(
      new Set(['PAYMENT_NOT_REFUNDABLE']),
    );
    await bench.deliver();
    expect((await paymentOf(id)).refunds).toHaveLength(1);
  });

  it('with one key is one, however often it is asked for', async () => {
    const id = await bench.paid(player);
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => refund(id, { amount: 100 }, key)));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    await bench.deliver();
    expect(await paymentOf(id)).toMatchObject({ status: 'partially_refunded', refunded: { amount: 100 } });
    expect(await bench.available(player)).toBe(2400);
  });

  it('in parts at once never gives back more than came', async () => {
    const id = await bench.paid(player);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refund(id, { amount: 400 })));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(6);
    expect(new Set(answers.filter(({ status }) => status !== 202).map(({ error }) => error.code))).toEqual(
      new Set(['REFUND_TOO_LARGE']),
    );
    await bench.deliver();
    expect(await paymentOf(id)).toMatchObject({ status: 'partially_refunded', refunded: { amount: 2400 } });
    expect((await refund(id, { amount: 101 })).error.code).toBe('REFUND_TOO_LARGE');
    expect((await refund(id)).data.amount.amount).toBe(100);
    await bench.deliver();
    expect((await paymentOf(id)).status).toBe('refunded');
  });

  it('that the provider refuses puts the money back, and may be asked for again', async () => {
    bench.bank.refundsBecome = 'failed';
    const id = await bench.paid(player);
    await refund(id);
    await bench.deliver();
    expect(await paymentOf(id)).toMatchObject({ status: 'succeeded', refunds: [{ status: 'failed' }] });
    expect(await bench.available(player)).toBe(2500);
    bench.bank.refundsBecome = 'succeeded';
    await refund(id);
    await bench.deliver();
    expect((await paymentOf(id)).status).toBe('refunded');
  });

  it('that the provider is slow with is told by its webhook, and asked about where none comes', async () => {
    bench.bank.refundsBecome = 'pending';
    const ids = [await bench.paid(player), await bench.paid(player)];
    const refunds = [];
    for (const id of ids) refunds.push((await refund(id)).data.id as string);
    await bench.deliver();
    expect((await paymentOf(ids[0]!)).refunds).toMatchObject([{ status: 'pending' }]);
    for (const id of refunds) bench.bank.refunds.get(id)!.status = 'succeeded';
    const told = bench.bank.refunds.get(refunds[0]!)!;
    const event = {
      id: randomUUID(),
      type: 'refund',
      about: 'refund',
      reference: told.reference,
      state: told,
    };
    await Promise.all([bench.send(event), bench.send({ ...event, id: randomUUID() })]);
    await bench.deliver();
    expect((await paymentOf(ids[0]!)).status).toBe('refunded');
    expect((await paymentOf(ids[1]!)).status).toBe('refunding');
    await bench.system.moveTo('2023-10-03T12:20:00Z');
    await bench.system.app.get(ChecksService).run();
    expect((await paymentOf(ids[1]!)).status).toBe('refunded');
  });

  it('whose answer is lost is asked for again under its id, and done once', async () => {
    const id = await bench.paid(player);
    const { data } = await refund(id);
    bench.bank.mood = 'lost';
    await expect(bench.deliver()).rejects.toThrow(/cannot be reached/);
    bench.bank.mood = 'well';
    const before = bench.bank.refunds.size;
    await bench.deliver();
    expect([bench.bank.refunds.has(data.id), bench.bank.refunds.size]).toEqual([true, before]);
    expect((await paymentOf(id)).status).toBe('refunded');
  });

  it('that was done, of which the provider says later that it was not, is for an operator', async () => {
    const id = await bench.paid(player);
    const { data } = await refund(id);
    await bench.deliver();
    const known = bench.bank.refunds.get(data.id)!;
    known.status = 'failed';
    await bench.send({
      id: randomUUID(),
      type: 'refund',
      about: 'refund',
      reference: known.reference,
      state: known,
    });
    await bench.deliver();
    const actions = (await admin.get('admin/audit?limit=100')).data.filter(
      (row: { action: string; subjectId: string }) => row.subjectId === id,
    );
    expect(actions.map(({ action }: { action: string }) => action)).toContain('payment.refund-contradicted');
    expect((await paymentOf(id)).status).toBe('refunded');
  });

  it('of money that was spent is refused', async () => {
    const id = await bench.paid(player);
    await bench.system.app.get(UnitOfWork).run(async (manager) => {
      await bench.system.app.get(LedgerService).post(manager, {
        reference: `spent:${id}`,
        type: 'spent',
        legs: [
          { account: { kind: 'user_available', owner: player.userId, currency: 'USD' }, amount: -1n },
          { account: { kind: 'escrow', owner: 'elsewhere', currency: 'USD' }, amount: 1n },
        ],
      });
    });
    expect((await refund(id)).error.code).toBe('REFUND_NOT_COVERED');
    expect((await refund(id, { amount: 2499 })).status).toBe(202);
  });

  it('of what was bought takes it back, once all of it is given back', async () => {
    const id = await bench.paid(player, { purpose: 'week_pass', amount: undefined });
    await refund(id, { amount: 400 });
    await bench.deliver();
    expect(takenBack(id)).toBe(0);
    await refund(id);
    await bench.deliver();
    expect(takenBack(id)).toBe(1);
  });

  it.each([
    ['that is open', async () => await bench.begin(player), 'PAYMENT_NOT_REFUNDABLE'],
    ['that does not exist', async () => Promise.resolve(randomUUID()), 'PAYMENT_NOT_FOUND'],
  ])('of a payment %s is refused', async (_, idOf, code) => {
    expect((await refund(await idOf())).error.code).toBe(code);
  });

  it('is for those who may', async () => {
    expect((await player.post(`admin/payments/${randomUUID()}/refund`, { reason: 'x' })).error.code).toBe(
      'FORBIDDEN',
    );
  });
});

describe('a dispute', () => {
  const tell = async (id: string, kind: string, reference = `dispute_${id}`) => {
    const disputed = { amount: 2500, currency: 'USD' };
    await bench.send({
      id: randomUUID(),
      type: `dispute.${kind}`,
      about: 'dispute',
      reference: `intent_${id}`, // the bank's other name for the payment
      change: { kind, disputeReference: reference, disputed },
    });
    await bench.deliver();
  };
  const lost = () => bench.balance('disputes', 'scripted');

  it('takes the money to the account of disputes, and back from it when it is won', async () => {
    const id = await bench.paid(player);
    const before = await lost();
    await tell(id, 'opened');
    expect((await paymentOf(id)).status).toBe('disputed');
    await tell(id, 'funds_withdrawn');
    expect([await lost(), await bench.available(player)]).toEqual([before - 2500, 2500]);
    expect((await refund(id)).error.code).toBe('PAYMENT_NOT_REFUNDABLE');
    await tell(id, 'funds_reinstated');
    await tell(id, 'won');
    expect([await lost(), (await paymentOf(id)).status]).toEqual([before, 'succeeded']);
  });

  it.each([
    [['funds_reinstated', 'won', 'funds_withdrawn', 'opened'], 'succeeded', 0],
    [['lost', 'funds_withdrawn', 'opened', 'lost'], 'charged_back', 2500],
    [['funds_withdrawn', 'funds_withdrawn', 'opened', 'opened'], 'disputed', 2500],
  ])('told as %j ends the same', async (kinds, status, gone) => {
    const before = await lost();
    const id = await bench.paid(player);
    for (const kind of kinds) await tell(id, kind);
    expect([(await paymentOf(id)).status, before - (await lost())]).toEqual([status, gone]);
  });

  it('that is lost takes back what was bought, once', async () => {
    const id = await bench.paid(player, { purpose: 'week_pass', amount: undefined });
    for (const kind of ['opened', 'lost', 'lost']) await tell(id, kind);
    expect([(await paymentOf(id)).status, takenBack(id)]).toEqual(['charged_back', 1]);
  });

  it('that is lost after all was given back, or while it is being, takes back no second time', async () => {
    const [before, during] = [
      await bench.paid(player, { purpose: 'week_pass', amount: undefined }),
      await bench.paid(player, { purpose: 'week_pass', amount: undefined }),
    ];
    await refund(before);
    await bench.deliver();
    await tell(before, 'lost');
    expect([(await paymentOf(before)).status, takenBack(before)]).toEqual(['charged_back', 1]);
    bench.bank.refundsBecome = 'pending';
    const { data } = await refund(during);
    await bench.deliver();
    await tell(during, 'lost');
    expect(takenBack(during)).toBe(1);
    const known = bench.bank.refunds.get(data.id)!;
    known.status = 'succeeded';
    await bench.send({
      id: randomUUID(),
      type: 'refund',
      about: 'refund',
      reference: known.reference,
      state: known,
    });
    await bench.deliver();
    expect([(await paymentOf(during)).refunded.amount, takenBack(during)]).toEqual([1000, 1]);
  });

  it('told before its payment waits for it', async () => {
    const id = await bench.begin(player);
    await tell(id, 'funds_withdrawn');
    expect((await paymentOf(id)).status).toBe('pending');
    await bench.tell(id, { status: 'succeeded' });
    expect((await paymentOf(id)).status).toBe('disputed');
  });

  it('while a refund is under way ends where both end', async () => {
    bench.bank.refundsBecome = 'pending';
    const id = await bench.paid(player);
    const { data } = await refund(id, { amount: 1000 });
    await bench.deliver();
    await tell(id, 'opened');
    const known = bench.bank.refunds.get(data.id)!;
    known.status = 'succeeded';
    await bench.send({
      id: randomUUID(),
      type: 'refund',
      about: 'refund',
      reference: known.reference,
      state: known,
    });
    await bench.deliver();
    expect(await paymentOf(id)).toMatchObject({ status: 'disputed', refunded: { amount: 1000 } });
    await tell(id, 'won');
    expect((await paymentOf(id)).status).toBe('partially_refunded');
  });
});
