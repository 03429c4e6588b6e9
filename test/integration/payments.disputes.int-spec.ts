import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Client } from '../support/client.js';
import { type PaymentsBench, paysByBank } from '../support/payments.js';
import { refundsOf } from '../support/refunds.js';
import { proveAgain } from '../support/proofs.js';
import { Wallets } from '../support/wallets.js';
import { withdraw } from '../support/withdrawals.js';

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
      [player] = (await bench.make.players(1)) as [Client];
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
