import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ChecksService } from '../../src/modules/payments/checks.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { LedgerService } from '../../src/modules/wallet/ledger.service.js';
import type { Client } from '../support/client.js';
import { type PaymentsBench, paysByBank } from '../support/payments.js';
import { refundsOf } from '../support/refunds.js';
import { proveAgain } from '../support/proofs.js';

let bench: PaymentsBench;
let player: Client;
let admin: Client;

paysByBank({ withdrawals: { openAtMost: 200 } }, (paying) => {
  ({ bench, admin, player } = paying);
});
beforeEach(() => {
  bench.bank.mood = 'well';
  bench.bank.refundsBecome = 'succeeded';
});

const { actionsOn, paymentOf, refund, says, takenBack } = refundsOf(() => ({ bench, admin }));

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
    const another = await bench.make.admin();
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
