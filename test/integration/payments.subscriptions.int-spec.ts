import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SubscriptionsService } from '../../src/modules/payments/subscriptions.service.js';
import { privacyEvents } from '../../src/modules/users/privacy/privacy.events.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { OutboxService } from '../../src/platform/outbox/outbox.service.js';
import type { Client } from '../support/client.js';
import { type PaymentsBench, paysByBank } from '../support/payments.js';

const PERIODS = ['2023-11-03T12:00:00.000Z', '2023-12-03T12:00:00.000Z', '2024-01-03T12:00:00.000Z'] as const;

let bench: PaymentsBench;
let player: Client;

paysByBank({}, (paying) => {
  ({ bench, player } = paying);
});

const ORDER = { purpose: 'subscription', amount: undefined };
const subscription = async () => (await player.get('payments/subscription')).data;
const paidFor = (client = player) =>
  bench.shop.paidFor
    .filter(({ userId }) => userId === client.userId)
    .map(({ periodEnd }) => periodEnd?.toISOString());
const payments = async (query = '') =>
  (await player.get(`payments?purpose=subscription${query}`)).data.map(
    ({ status }: { status: string }) => status,
  );

async function subscribe(): Promise<string> {
  const id = await bench.begin(player, ORDER);
  await bench.tell(id, { status: 'succeeded', periodEnd: PERIODS[0] });
  return id;
}

async function change(
  id: string,
  kind: string,
  over: object = {},
  eventId: string = randomUUID(),
  reference = `invoice_${randomUUID()}`,
): Promise<void> {
  const paid = kind === 'renewed' ? { amount: 3500, currency: 'USD' } : null;
  await bench.send({
    id: eventId,
    type: `subscription.${kind}`,
    about: 'subscription',
    reference,
    change: { kind, subscriptionReference: `sub_${id}`, paid, periodEnd: null, ...over },
  });
  await bench.deliver();
}

describe('a subscription', () => {
  it('begins with its first payment, and is renewed by further ones', async () => {
    const id = await subscribe();
    expect(await subscription()).toMatchObject({
      status: 'active',
      provider: 'scripted',
      amount: { amount: 3500, currency: 'USD' },
      periodEnd: PERIODS[0],
      cancelAtPeriodEnd: false,
    });
    const eventId = randomUUID();
    await change(id, 'renewed', { periodEnd: PERIODS[1] }, eventId);
    await change(id, 'renewed', { periodEnd: PERIODS[1] }, eventId);
    await change(id, 'renewed', { periodEnd: PERIODS[1] }); // of the same period by another event
    await change(id, 'renewed', { periodEnd: PERIODS[0] }); // the first payment, told as a renewal
    expect([(await subscription()).periodEnd, await payments()]).toEqual([
      PERIODS[1],
      ['succeeded', 'succeeded'],
    ]);
    expect(paidFor()).toEqual([PERIODS[0], PERIODS[1]]);
    expect(new Set(bench.shop.paidFor.map(({ subject }) => subject))).toEqual(new Set(['202340']));
  });

  it('is one a user', async () => {
    await subscribe();
    expect((await bench.checkout(player, ORDER)).error.code).toBe('SUBSCRIPTION_EXISTS');
  });

  it('paid for twice at once is one: the other is ended and its money goes back', async () => {
    const ids = [await bench.begin(player, ORDER), await bench.begin(player, ORDER)];
    const events = ids.map((id) =>
      bench.bank.about(bench.bank.decide(id, { status: 'succeeded', periodEnd: PERIODS[0] })),
    );
    await Promise.all(events.map((event) => bench.send(event)));
    await bench.deliver();
    expect((await payments()).toSorted()).toEqual(['refunded', 'succeeded']);
    expect([paidFor(), (await subscription()).status]).toEqual([[PERIODS[0]], 'active']);
    const [refused] = (await player.get('payments?status=refunded')).data;
    expect(bench.bank.cancelled).toContain(`sub_${refused.id}`);
  });

  it('whose renewal was not paid is past due, until it is', async () => {
    const id = await subscribe();
    await bench.system.moveTo(PERIODS[0]);
    await change(id, 'renewal_failed');
    expect((await subscription()).status).toBe('past_due');
    await change(id, 'renewed', { periodEnd: PERIODS[1] });
    expect(await subscription()).toMatchObject({ status: 'active', periodEnd: PERIODS[1] });
  });

  it('is not past due by a failure that is told after the payment it came before', async () => {
    const id = await subscribe();
    const reference = `invoice_${randomUUID()}`;
    await change(id, 'renewed', { periodEnd: PERIODS[1] }, randomUUID(), reference);
    await change(id, 'renewal_failed', {}, randomUUID(), reference);
    expect((await subscription()).status).toBe('active');
    await change(id, 'renewal_failed');
    expect((await subscription()).status).toBe('past_due');
  });

  it('told of before its beginning is known waits for it', async () => {
    const id = await bench.begin(player, ORDER);
    await change(id, 'renewed', { periodEnd: PERIODS[1] });
    expect((await player.get('payments/subscription')).error.code).toBe('SUBSCRIPTION_NOT_FOUND');
    await bench.tell(id, { status: 'succeeded', periodEnd: PERIODS[0] });
    expect(await subscription()).toMatchObject({ status: 'active', periodEnd: PERIODS[1] });
    expect(paidFor()).toEqual([PERIODS[0], PERIODS[1]]);
  });

  it('told of a later period first books the earlier one too, each once', async () => {
    const id = await subscribe();
    const later = { periodStart: PERIODS[1], periodEnd: PERIODS[2] };
    const earlier = { periodStart: PERIODS[0], periodEnd: PERIODS[1] };
    for (const period of [later, earlier, later, earlier, { periodEnd: PERIODS[0] }])
      await change(id, 'renewed', period);
    expect([paidFor(), await payments()]).toEqual([
      [PERIODS[0], PERIODS[2], PERIODS[1]],
      ['succeeded', 'succeeded', 'succeeded'],
    ]);
    expect(await subscription()).toMatchObject({ status: 'active', periodEnd: PERIODS[2] });
  });

  it('told of two periods in any order by many at once books each once', async () => {
    const id = await subscribe();
    const told = Array.from({ length: 30 }, (_, n) => ({
      id: randomUUID(),
      type: 'subscription.renewed',
      about: 'subscription',
      reference: `invoice_${id}_${n % 2}`,
      change: {
        kind: 'renewed',
        subscriptionReference: `sub_${id}`,
        paid: { amount: 3500, currency: 'USD' },
        periodStart: PERIODS[1 - (n % 2)],
        periodEnd: PERIODS[2 - (n % 2)],
      },
    }));
    await Promise.all(told.map((event) => bench.send(event)));
    await Promise.all([bench.deliver(), bench.deliver(), bench.deliver()]);
    expect([new Set(paidFor()), await payments()]).toEqual([
      new Set(PERIODS),
      ['succeeded', 'succeeded', 'succeeded'],
    ]);
  });

  it('renewed at another price is set aside for an operator', async () => {
    const id = await subscribe();
    const dearer = { periodEnd: PERIODS[1], paid: { amount: 3600, currency: 'USD' } };
    await change(id, 'renewed', dearer);
    await change(id, 'renewed', dearer); // by another event
    expect([await payments(), paidFor()]).toEqual([['in_review', 'succeeded'], [PERIODS[0]]]);
    const { rows } = await bench.system.db.query(
      'SELECT count(*)::int AS payments, count(DISTINCT subscription_id)::int AS of FROM payments WHERE user_id = $1 AND subscription_id IS NOT NULL',
      [player.userId],
    );
    expect(rows).toEqual([{ payments: 2, of: 1 }]);
  });

  it('ends with the period that is paid, when its owner wants no more of it', async () => {
    const id = await subscribe();
    const asked = [
      await player.call('DELETE', 'payments/subscription'),
      await player.call('DELETE', 'payments/subscription'),
    ];
    expect(asked.map(({ status, data }) => [status, data.status, data.cancelAtPeriodEnd])).toEqual([
      [200, 'active', true],
      [200, 'active', true],
    ]);
    await bench.deliver();
    expect(bench.bank.cancelled).toContain(`sub_${id}`);
    expect((await bench.checkout(player, ORDER)).error.code).toBe('SUBSCRIPTION_EXISTS');
    await bench.system.moveTo(PERIODS[0]);
    await change(id, 'cancelled');
    expect((await subscription()).status).toBe('cancelled');
    expect((await player.call('DELETE', 'payments/subscription')).error.code).toBe('SUBSCRIPTION_NOT_FOUND');
    expect((await bench.checkout(player, ORDER)).status).toBe(201);
  });

  it('ends though the provider forgets to tell', async () => {
    await subscribe();
    await player.call('DELETE', 'payments/subscription');
    const service = bench.system.app.get(SubscriptionsService);
    await bench.system.moveTo('2023-11-03T11:59:59Z');
    expect(await service.endOverdue()).toBe(0);
    await bench.system.moveTo(PERIODS[0]);
    expect(await service.endOverdue()).toBe(1);
    expect((await subscription()).status).toBe('cancelled');
  });

  it('ends with the account of its owner', async () => {
    const id = await subscribe();
    await bench.system.app.get(UnitOfWork).run(async (manager) =>
      bench.system.app.get(OutboxService).publish(manager, privacyEvents.closing, {
        userId: player.userId,
        closingAt: PERIODS[1],
      }),
    );
    await bench.deliver();
    expect([(await subscription()).cancelAtPeriodEnd, bench.bank.cancelled.includes(`sub_${id}`)]).toEqual([
      true,
      true,
    ]);
  });

  it('renewed at the provider after it ended gives that money back', async () => {
    const id = await subscribe();
    await change(id, 'cancelled');
    await change(id, 'renewed', { periodEnd: PERIODS[1] });
    expect([(await payments()).toSorted(), (await subscription()).status]).toEqual([
      ['refunded', 'succeeded'],
      'cancelled',
    ]);
    expect(paidFor()).toEqual([PERIODS[0]]);
    expect(bench.bank.cancelled).toContain(`sub_${id}`); // so that it charges no more
  });
});
