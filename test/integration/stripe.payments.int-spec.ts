import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ChecksService } from '../../src/modules/payments/checks.service.js';
import { ReconciliationService } from '../../src/modules/payments/reconciliation.service.js';
import type { Client } from '../support/client.js';
import { PaymentsBench, START } from '../support/payments.js';
import { StripeServer } from '../support/stripe-server.js';

const MONTH = 30 * 86_400;

let stripe: StripeServer;
let bench: PaymentsBench;
let player: Client;
let admin: Client;

beforeAll(async () => {
  stripe = await new StripeServer().start();
  bench = await PaymentsBench.start({}, stripe.env);
  admin = await bench.make.admin();
});
afterAll(async () => {
  await bench.close();
  await stripe.stop();
});
beforeEach(async () => {
  await goTo(START);
  [player] = (await bench.make.players(1)) as [Client];
  await bench.system.db.query('DELETE FROM provider_events');
});
afterEach(async () => {
  await bench.deliver();
  expect(await bench.problems()).toEqual([]);
  expect(stripe.problems).toEqual([]);
});

/** Stripe's clock goes with ours; its signatures are of the real time. */
async function goTo(at: string | Date): Promise<void> {
  await bench.system.moveTo(at);
  stripe.account.now = Math.floor(new Date(at).getTime() / 1000);
}

async function send(event: object, over: { secret?: string } = {}): Promise<number> {
  const { rawBody, headers } = stripe.delivery(event, over);
  const response = await fetch(`${bench.system.url}/api/v1/payments/webhooks/stripe`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
    body: new Uint8Array(rawBody),
  });
  await response.body?.cancel();
  return response.status;
}

async function tell(event: object): Promise<void> {
  expect(await send(event)).toBe(200);
  await bench.deliver();
}

/** A payment that was begun, and its session. */
async function begin(body: object = {}): Promise<{ id: string; session: string }> {
  const id = await bench.begin(player, { provider: 'stripe', ...body });
  const { redirectUrl } = (await player.get(`payments/${id}`)).data;
  return { id, session: redirectUrl.split('/').at(-1) };
}

const statusOf = async (id: string) => (await player.get(`payments/${id}`)).data.status;
const ORDER = { purpose: 'subscription', amount: undefined };

describe('through Stripe', () => {
  it('a deposit is in the wallet, once, however often Stripe tells', async () => {
    const { id, session } = await begin();
    const event = stripe.account.pay(session);
    const answers = await Promise.all(Array.from({ length: 50 }, async () => await send(event)));
    expect(new Set(answers)).toEqual(new Set([200]));
    await bench.deliver();
    expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
    expect(await bench.outcomes()).toEqual({ applied: 1 });
  });

  it('a forged or altered event does nothing', async () => {
    const { id, session } = await begin();
    const event = stripe.account.pay(session);
    expect(await send(event, { secret: 'whsec_of_somebody_else' })).toBe(401);
    expect(await bench.outcomes()).toEqual({});
    expect(await statusOf(id)).toBe('pending');
    await tell(event);
    expect(await statusOf(id)).toBe('succeeded');
  });

  it('an event that is not about us, or not of ours, is taken and forgotten', async () => {
    const { session } = await begin();
    const declined = stripe.account.decline(session, 'do_not_honor');
    await tell(
      stripe.account.event('payment_intent.payment_failed', { ...declined.data.object, metadata: {} }),
    );
    expect(await bench.outcomes()).toEqual({});
  });

  it('cards that are declined on its page count, once each, until no more may be tried', async () => {
    const { id, session } = await begin();
    const declined = Array.from({ length: 4 }, () => stripe.account.decline(session, 'do_not_honor'));
    await Promise.all([...declined, ...declined, ...declined].map((event) => send(event)));
    await bench.deliver();
    const other = await begin();
    expect(await statusOf(id)).toBe('pending');
    await tell(stripe.account.decline(other.session, 'stolen_card'));
    const refused = await bench.checkout(player, { provider: 'stripe' });
    expect([refused.status, refused.error.code]).toEqual([429, 'DEPOSITS_BLOCKED']);
    await tell(stripe.account.pay(session)); // one of the cards was good after all
    expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
    await goTo('2023-10-03T13:01:00Z');
    expect((await bench.checkout(player, { provider: 'stripe' })).status).toBe(201);
  });

  it('a deposit of shillings is as many shillings', async () => {
    const { session } = await begin({ amount: 5000, currency: 'UGX' });
    expect(stripe.account.get(session)['amount_total']).toBe(500_000);
    await tell(stripe.account.pay(session));
    expect(await bench.available(player, 'UGX')).toBe(5000);
  });

  it('a bank that says no after days brings nothing, and one that says yes brings it then', async () => {
    const refused = await begin();
    await tell(stripe.account.payLater(refused.session));
    expect(await statusOf(refused.id)).toBe('pending');
    await tell(stripe.account.settleLater(refused.session, false));
    expect([await statusOf(refused.id), await bench.available(player)]).toEqual(['failed', 0]);
    const paid = await begin();
    await tell(stripe.account.payLater(paid.session));
    await tell(stripe.account.settleLater(paid.session, true));
    expect([await statusOf(paid.id), await bench.available(player)]).toEqual(['succeeded', 2500]);
  });

  it('an expired page ends the payment', async () => {
    const { id, session } = await begin();
    await tell(stripe.account.expire(session));
    expect(await statusOf(id)).toBe('expired');
  });

  it('a webhook that never comes is asked for', async () => {
    const { id, session } = await begin();
    stripe.account.pay(session);
    await goTo('2023-10-03T12:20:00Z');
    await bench.system.app.get(ChecksService).run();
    await bench.deliver();
    expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
  });

  it('a checkout whose answer was lost is one checkout, and is gone on with', async () => {
    const before = stripe.account.all('checkout.session').length;
    stripe.next = ['lost', 'lost', 'lost'];
    const key = `lost-${player.userId}`;
    const first = await bench.checkout(player, { provider: 'stripe' }, key);
    expect([first.status, first.error.code]).toEqual([503, 'PROVIDER_UNAVAILABLE']);
    const { status, data } = await bench.checkout(player, { provider: 'stripe' }, key);
    expect(status).toBe(201);
    expect(stripe.account.all('checkout.session').length - before).toBe(1);
    await tell(stripe.account.pay(data.redirectUrl.split('/').at(-1)));
    expect(await bench.available(player)).toBe(2500);
  });

  it('a subscription is paid until Stripe says, renewed by its invoices, and ended', async () => {
    const { session } = await begin(ORDER);
    await tell(stripe.account.pay(session));
    const subscription = async () => (await player.get('payments/subscription')).data;
    const until = (months: number) => new Date(Date.parse(START) + months * MONTH * 1000).toISOString();
    expect(await subscription()).toMatchObject({ status: 'active', periodEnd: until(1) });
    const { subscription: reference, invoice } = stripe.account.get(session) as unknown as Record<
      string,
      string
    >;
    await tell(stripe.account.event('invoice.paid', stripe.account.get(invoice!)));

    await goTo(until(1));
    const renewed = stripe.account.renew(reference!);
    await tell(renewed);
    await tell(renewed);
    expect(await subscription()).toMatchObject({ status: 'active', periodEnd: until(2) });
    const { data } = await player.get('payments?purpose=subscription');
    expect(data.map(({ status }: { status: string }) => status)).toEqual(['succeeded', 'succeeded']);

    await goTo(until(2));
    await tell(stripe.account.renew(reference!, false));
    expect(await subscription()).toMatchObject({ status: 'past_due' });
    await player.call('DELETE', 'payments/subscription');
    await bench.deliver();
    expect(stripe.account.get(reference!)['cancel_at_period_end']).toBe(true);
    await tell(stripe.account.endSubscription(reference!));
    expect(await subscription()).toMatchObject({ status: 'cancelled' });
  });

  it('a refund is given back, and one that Stripe then fails comes back', async () => {
    const { id, session } = await begin();
    await tell(stripe.account.pay(session));
    stripe.account.refundStatus = 'pending';
    await admin.post(
      `admin/payments/${id}/refund`,
      { reason: 'Asked for it', amount: 1000 },
      { key: `${id}-1` },
    );
    await bench.deliver();
    expect(await bench.available(player)).toBe(1500);
    const refund = stripe.account.all('refund').at(-1)!;
    await tell(stripe.account.settleRefund(refund.id, { status: 'failed', failure_reason: 'declined' }));
    expect(await bench.available(player)).toBe(2500);
    stripe.account.refundStatus = 'succeeded';
    await admin.post(`admin/payments/${id}/refund`, { reason: 'Asked for it again' }, { key: `${id}-2` });
    await bench.deliver();
    expect([await statusOf(id), await bench.available(player)]).toEqual(['refunded', 0]);
    // It was done, and a bank has sent it back: told by several events, the one of its success among them once more.
    const late = stripe.account.all('refund').at(-1)!;
    const succeeded = stripe.account.event('refund.updated', { ...late });
    const failed = stripe.account.settleRefund(late.id, {
      status: 'failed',
      failure_reason: 'expired_or_canceled_card',
    });
    await tell(failed);
    await tell(stripe.account.event('refund.failed', failed.data.object));
    await tell(stripe.account.event('charge.refund.updated', failed.data.object));
    await tell(succeeded);
    expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
  });

  it('a dispute takes the money, and brings it back when it is won', async () => {
    const { id, session } = await begin();
    await tell(stripe.account.pay(session));
    const intent = stripe.account.get(session)['payment_intent'] as string;
    const event = stripe.account.dispute(intent, 'created');
    const later = (type: string, status: string) =>
      stripe.account.event(`charge.dispute.${type}`, { ...event.data.object, status });
    await tell(event);
    await tell(later('funds_withdrawn', 'needs_response'));
    expect([await statusOf(id), await bench.available(player)]).toEqual(['disputed', 0]);
    await tell(later('funds_reinstated', 'won'));
    await tell(later('closed', 'won'));
    expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
    expect(await bench.balance('disputes', 'stripe')).toBe(0);
  });

  it('a day of it is the same in both books, and money that nobody told of is found', async () => {
    await goTo('2023-11-10T09:00:00Z');
    const told = await begin();
    await tell(stripe.account.pay(told.session));
    const untold = await begin();
    stripe.account.pay(untold.session);
    await goTo('2023-11-11T05:00:00Z');
    while (await bench.system.app.get(ReconciliationService).compareDays()) continue;
    await bench.deliver();
    const differences = async (status: string) =>
      (await admin.get(`admin/payments/differences?limit=100&status=${status}`)).data;
    expect(await differences('open')).toEqual([]);
    expect(await differences('resolved')).toMatchObject([{ kind: 'not_booked', paymentId: untold.id }]);
    expect(await bench.available(player)).toBe(5000);
  });
});
