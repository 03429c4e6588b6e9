import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ChecksService } from '../../src/modules/payments/checks.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { LedgerService } from '../../src/modules/wallet/ledger.service.js';
import { Builders } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { PaymentsBench } from '../support/payments.js';
import { proveAgain } from '../support/proofs.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { Wallets } from '../support/wallets.js';
import { withdraw } from '../support/withdrawals.js';

const START = '2023-10-03T12:00:00Z';

let bench: PaymentsBench;
let make: Builders;
let player: Client;
let admin: Client;

beforeAll(async () => {
  bench = await PaymentsBench.open(
    await startSystemWithRules({ withdrawals: { openAtMost: 200 } }, { worker: false, at: START }),
  );
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
/** The bank's word on a refund, by an event of its own. */
async function says(id: string, status: 'pending' | 'succeeded' | 'failed'): Promise<void> {
  const state = { ...bench.bank.refunds.get(id)!, status };
  const event = { id: randomUUID(), type: 'refund', about: 'refund', reference: state.reference, state };
  expect(await bench.send(event)).toBe(200);
}
const actionsOn = async (id: string): Promise<string[]> =>
  (await admin.get('admin/audit?limit=100')).data
    .filter((row: { subjectId: string }) => row.subjectId === id)
    .map(({ action }: { action: string }) => action);
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

  it('that was done, and then failed after all, puts the money back, once, in whatever order that is told', async () => {
    const id = await bench.paid(player);
    const { data } = await refund(id, { amount: 1000 });
    const other = await refund(id, { amount: 1500 });
    await bench.deliver();
    expect([(await paymentOf(id)).status, await bench.available(player)]).toEqual(['refunded', 0]);
    await Promise.all(Array.from({ length: 50 }, () => says(data.id, 'failed')));
    await Promise.all([bench.deliver(), bench.deliver(), bench.deliver()]);
    for (const status of ['succeeded', 'failed', 'pending', 'succeeded'] as const) {
      await says(data.id, status);
      await bench.deliver();
    }
    expect(await paymentOf(id)).toMatchObject({
      status: 'partially_refunded',
      refunded: { amount: 1500 },
      refunds: [
        { id: data.id, status: 'failed', failureCode: 'refused' },
        { id: other.data.id, status: 'succeeded' },
      ],
    });
    expect(await bench.available(player)).toBe(1000);
    expect(await actionsOn(id)).toEqual(['payment.refund-failed', 'payment.refund', 'payment.refund']);
    expect((await refund(id)).data.amount.amount).toBe(1000);
    await bench.deliver();
    expect([(await paymentOf(id)).status, await bench.available(player)]).toEqual(['refunded', 0]);
  });

  it('that failed, of which the provider says later that it was done, is for an operator', async () => {
    bench.bank.refundsBecome = 'failed';
    const id = await bench.paid(player);
    const { data } = await refund(id);
    await bench.deliver();
    await says(data.id, 'succeeded');
    await bench.deliver();
    expect(await actionsOn(id)).toContain('payment.refund-contradicted');
    expect([(await paymentOf(id)).status, await bench.available(player)]).toEqual(['succeeded', 2500]);
  });

  it('of what was bought, which fails after it was done, stands aside for an operator to give back', async () => {
    const id = await bench.paid(player, { purpose: 'week_pass', amount: undefined });
    const { data } = await refund(id);
    await bench.deliver();
    expect(takenBack(id)).toBe(1);
    await says(data.id, 'failed');
    await bench.deliver();
    expect(await paymentOf(id)).toMatchObject({ status: 'in_review', review: 'REFUND_FAILED' });
    expect(await bench.balance('escrow', `payment:${id}`)).toBe(1000);
    await refund(id);
    await bench.deliver();
    expect([(await paymentOf(id)).status, takenBack(id)]).toEqual(['refunded', 1]);
    expect(await bench.balance('escrow', `payment:${id}`)).toBe(0);
  });

  it('asks the operator for a recent proof', async () => {
    const id = await bench.paid(player);
    const another = await make.admin();
    await bench.system.moveTo('2023-10-03T12:30:00Z');
    const ask = () => another.post(`admin/payments/${id}/refund`, { reason: 'x' }, { key: randomUUID() });
    expect((await ask()).error.code).toBe('PROOF_TOO_OLD');
    expect((await paymentOf(id)).status).toBe('succeeded');
    await proveAgain(bench.system, another);
    expect((await ask()).status).toBe(202);
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
  /** What the house bears of the bank's disputes; what the player owes. */
  const lost = () => bench.balance('disputes', 'scripted');
  const owed = async () => 0 - (await bench.balance('disputes', player.userId));
  const spend = async (amount: bigint) => {
    await new Wallets(bench.system).move(
      { kind: 'user_available', owner: player.userId, currency: 'USD' },
      { kind: 'escrow', owner: 'elsewhere', currency: 'USD' },
      amount,
    );
  };
  const deposited = async () => [await bench.available(player), await owed(), await lost()];

  it('takes a deposit from the wallet, and puts it back when it is won', async () => {
    const id = await bench.paid(player);
    const before = await lost();
    await tell(id, 'opened');
    expect([(await paymentOf(id)).status, ...(await deposited())]).toEqual(['disputed', 2500, 0, before]);
    await tell(id, 'funds_withdrawn');
    expect(await deposited()).toEqual([0, 0, before]);
    expect((await refund(id)).error.code).toBe('PAYMENT_NOT_REFUNDABLE');
    await tell(id, 'funds_reinstated');
    await tell(id, 'won');
    expect([(await paymentOf(id)).status, ...(await deposited())]).toEqual(['succeeded', 2500, 0, before]);
    expect(await actionsOn(id)).toContain('payment.dispute-charged');
  });

  it('takes what is there of a deposit, never below zero, and keeps what is owed until it is won', async () => {
    const id = await bench.paid(player);
    await spend(1800n);
    const before = await lost();
    await tell(id, 'lost');
    expect([(await paymentOf(id)).status, ...(await deposited())]).toEqual([
      'charged_back',
      0,
      1800,
      before + 2500,
    ]);
    await tell(id, 'funds_withdrawn');
    expect(await deposited()).toEqual([0, 1800, before]);
    expect((await paymentOf(id)).disputes).toMatchObject([
      { amount: { amount: 2500, currency: 'USD' }, outcome: 'lost', charged: 700, owed: 1800 },
    ]);
    const another = await bench.paid(player);
    await tell(another, 'funds_withdrawn');
    await tell(another, 'won');
    expect((await paymentOf(another)).disputes).toMatchObject([{ outcome: 'won', charged: 0, owed: 0 }]);
    expect(await deposited()).toEqual([2500, 1800, before - 2500]);
    await tell(another, 'funds_reinstated');
    expect(await deposited()).toEqual([2500, 1800, before]);
    expect(await bench.problems()).toEqual([]);
  });

  it('of money that was spent is owed whole, and of money that stands aside is taken from there', async () => {
    const spent = await bench.paid(player);
    await spend(2500n);
    await tell(spent, 'funds_withdrawn');
    expect((await deposited()).slice(0, 2)).toEqual([0, 2500]);
    const odd = await bench.begin(player);
    await bench.tell(odd, { status: 'succeeded', paid: { amount: 2400, currency: 'USD' } });
    await tell(odd, 'funds_withdrawn');
    expect([await bench.balance('escrow', `payment:${odd}`), await owed()]).toEqual([0, 2600]);
    for (const kind of ['won', 'funds_reinstated']) await tell(odd, kind);
    expect([await bench.balance('escrow', `payment:${odd}`), await owed()]).toEqual([2400, 2500]);
  });

  it('told 50 times at once beside 100 withdrawals takes each dollar once', async () => {
    for (const after of ['won', 'lost']) {
      const before = [await owed(), await lost()] as const;
      const had = await bench.available(player);
      const id = await bench.paid(player, { amount: 100_000 });
      const disputed = { amount: 100_000, currency: 'USD' };
      const event = (kind: string) => ({
        id: randomUUID(),
        type: `dispute.${kind}`,
        about: 'dispute',
        reference: `intent_${id}`,
        change: { kind, disputeReference: `dispute_${id}`, disputed },
      });
      await Promise.all(Array.from({ length: 50 }, () => bench.send(event('funds_withdrawn'))));
      await proveAgain(bench.system, player);
      const asked = Array.from({ length: 100 }, (_, n) =>
        withdraw(player, { amount: 1000 + n, destination: 'sandbox:pending' }),
      );
      await Promise.all([...asked, ...Array.from({ length: 4 }, () => bench.deliver())]);
      const held = await bench.balance('user_held', player.userId);
      const left = await bench.available(player);
      const due = (await owed()) - before[0];
      expect(left >= 0 && (left === 0 || due === 0)).toBe(true);
      expect(had + 100_000 - held - left).toBe(100_000 - due);
      expect(await lost()).toBe(before[1]);
      expect(await bench.problems()).toEqual([]);
      const closing = after === 'won' ? ['won', 'funds_reinstated'] : ['lost', 'lost'];
      const told = closing.flatMap((kind) => Array.from({ length: 20 }, () => event(kind)));
      await Promise.all(told.map((each) => bench.send(each)));
      await Promise.all(Array.from({ length: 4 }, () => bench.deliver()));
      expect([(await owed()) - before[0], await bench.available(player)]).toEqual(
        after === 'won' ? [0, left + 100_000 - due] : [due, left],
      );
      expect(await bench.problems()).toEqual([]);
      [player] = (await make.players(1)) as [Client];
    }
  }, 60_000);

  it('of what was bought takes nothing from the wallet of who bought it', async () => {
    await bench.paid(player);
    const id = await bench.paid(player, { purpose: 'week_pass', amount: undefined });
    const before = await lost();
    await tell(id, 'funds_withdrawn');
    expect(await deposited()).toEqual([2500, 0, before - 2500]);
  });

  it.each([
    [['funds_reinstated', 'won', 'funds_withdrawn', 'opened'], 'succeeded', 0],
    [['lost', 'funds_withdrawn', 'opened', 'lost'], 'charged_back', 2500],
    [['funds_withdrawn', 'funds_withdrawn', 'opened', 'opened'], 'disputed', 2500],
    [['won', 'funds_withdrawn', 'opened', 'funds_reinstated'], 'succeeded', 0],
  ])('told as %j ends the same', async (kinds, status, gone) => {
    const before = await lost();
    const id = await bench.paid(player);
    for (const kind of kinds) await tell(id, kind);
    expect([(await paymentOf(id)).status, 2500 - (await bench.available(player))]).toEqual([status, gone]);
    expect([await lost(), await owed()]).toEqual([before, 0]);
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
    await says(data.id, 'succeeded');
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
    await says(data.id, 'succeeded');
    await bench.deliver();
    expect(await paymentOf(id)).toMatchObject({ status: 'disputed', refunded: { amount: 1000 } });
    await tell(id, 'won');
    expect((await paymentOf(id)).status).toBe('partially_refunded');
  });
});
