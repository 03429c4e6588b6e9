import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import Stripe from 'stripe';
import type { StripeProvider } from '../../src/modules/payments/providers/stripe/stripe.provider.js';
import type { StripeEvent } from '../support/stripe-account.js';
import { CONNECTED_ACCOUNT } from '../support/stripe-account.js';
import { STRIPE_FIXTURES } from '../support/stripe-document.js';
import { aCheckout, stripeProvider } from '../support/stripe-payments.js';
import { type Delivery, STRIPE_WEBHOOK_SECRET, StripeServer } from '../support/stripe-server.js';

const COPIED = join(STRIPE_FIXTURES, 'events');
/** All of them are not in the repository; where they lie beside it, they are read too. */
const BESIDE = resolve(import.meta.dirname, '../../../shared/data/specs/stripe/webhook-events');

describe('events of Stripe', () => {
  let stripe: StripeServer;
  let provider: StripeProvider;
  const library = new Stripe('sk_test_unused');

  beforeAll(async () => {
    stripe = await new StripeServer().start();
    provider = stripeProvider(stripe);
  });
  afterAll(async () => stripe.stop());
  beforeEach(() => {
    stripe.next = [];
    stripe.requests.length = 0;
  });

  const deliver = async (event: object) => await provider.parseWebhook(stripe.delivery(event));
  async function paid(over = {}) {
    const order = aCheckout(over);
    const { providerReference } = await provider.createCheckout(order);
    return { order, providerReference, event: stripe.account.pay(providerReference) };
  }

  describe('of a checkout', () => {
    it('prove what was paid, of which payment, without asking', async () => {
      const { order, providerReference, event } = await paid();
      stripe.requests.length = 0;
      expect(await deliver(event)).toEqual({
        eventId: event.id,
        type: 'checkout.session.completed',
        about: 'payment',
        providerReference,
        ourId: order.paymentId,
        state: {
          providerReference,
          status: 'succeeded',
          paid: { amount: 2500n, currency: 'USD' },
          failureCode: null,
          subscriptionReference: null,
          periodEnd: null,
          alsoKnownAs: [stripe.account.get(providerReference)['payment_intent']],
        },
      });
      expect(stripe.requests).toEqual([]);
    });

    it('tell of a bank that answers later, and then what it answered', async () => {
      for (const comes of [true, false]) {
        const { providerReference } = await provider.createCheckout(aCheckout());
        expect(await deliver(stripe.account.payLater(providerReference))).toMatchObject({
          about: 'payment',
          state: { status: 'pending', paid: null },
        });
        expect(await deliver(stripe.account.settleLater(providerReference, comes))).toMatchObject({
          about: 'payment',
          providerReference,
          state: comes
            ? { status: 'succeeded', paid: { amount: 2500n, currency: 'USD' } }
            : { status: 'failed', paid: null, failureCode: 'payment_failed' },
        });
      }
    });

    it('tell that it expired, and of a card that was declined on the open page that it goes on', async () => {
      const order = aCheckout();
      const { providerReference } = await provider.createCheckout(order);
      const declined = stripe.account.decline(providerReference, 'do_not_honor');
      const { object } = declined.data;
      expect(await deliver(declined)).toMatchObject({
        about: 'payment',
        providerReference: object.id,
        ourId: order.paymentId,
        state: { status: 'pending', paid: null, failureCode: 'do_not_honor', declined: true },
      });
      const others = [
        { ...object, metadata: {} }, // a subscription's, or none of ours
        { ...object, last_payment_error: { type: 'invalid_request_error', code: 'a_bank_said_no' } },
        { ...object, last_payment_error: null },
      ];
      for (const other of others)
        expect(await deliver(stripe.account.event('payment_intent.payment_failed', other))).toMatchObject({
          about: 'nothing',
        });
      expect(await deliver(stripe.account.expire(providerReference))).toMatchObject({
        about: 'payment',
        state: { status: 'expired', paid: null },
      });
    });

    it('of a subscription send to ask until when it is paid', async () => {
      const { order, providerReference, event } = await paid({ purpose: 'subscription' });
      const read = await deliver(event);
      expect(read).toMatchObject({
        about: 'payment',
        providerReference,
        ourId: order.paymentId,
        state: null,
      });
      expect(await provider.fetchState({ paymentId: read.ourId!, providerReference })).toMatchObject({
        status: 'succeeded',
        periodEnd: expect.any(Date),
      });
    });
  });

  describe('of a subscription', () => {
    it('tell each renewal, the failed one, and the end; and not the first payment again', async () => {
      const { providerReference } = await paid({ purpose: 'subscription' });
      const subscriptionReference = stripe.account.get(providerReference)['subscription'] as string;
      const first = stripe.account.get(stripe.account.get(providerReference)['invoice'] as string);
      expect(await deliver(stripe.account.event('invoice.paid', first))).toMatchObject({ about: 'nothing' });

      const money = { amount: 2500n, currency: 'USD' };
      const periodEnd = new Date((stripe.account.now + 30 * 86_400) * 1000);
      const renewed = stripe.account.renew(subscriptionReference);
      expect(await deliver(renewed)).toMatchObject({
        about: 'subscription',
        providerReference: renewed.data.object.id,
        state: { status: 'succeeded', paid: money, subscriptionReference, periodEnd },
        change: { kind: 'renewed', subscriptionReference, paid: money, periodEnd },
      });
      expect(await deliver(stripe.account.renew(subscriptionReference, false))).toMatchObject({
        about: 'subscription',
        state: { status: 'pending', paid: null },
        change: { kind: 'renewal_failed', subscriptionReference, paid: null, periodEnd: null },
      });
      expect(await deliver(stripe.account.endSubscription(subscriptionReference))).toMatchObject({
        about: 'subscription',
        providerReference: null,
        state: null,
        change: { kind: 'cancelled', subscriptionReference, paid: null, periodEnd },
      });
    });

    it('are read in the older form too, which an endpoint made long ago still gets', async () => {
      const older = (name: string, change: object) => {
        const event = JSON.parse(readFileSync(join(COPIED, `${name}.json`), 'utf8')) as StripeEvent;
        return { ...event, data: { object: { ...event.data.object, ...change } } };
      };
      const cycle = { subscription: 'sub_older', billing_reason: 'subscription_cycle' };
      expect(await deliver(older('invoice.paid', cycle))).toMatchObject({
        about: 'subscription',
        state: {
          status: 'succeeded',
          alsoKnownAs: ['pi_000000000000000000000000', 'ch_000000000000000000000000'],
        },
        change: {
          kind: 'renewed',
          subscriptionReference: 'sub_older',
          paid: { amount: 2000n, currency: 'USD' },
          periodEnd: new Date(1_648_320_011_000),
        },
      });
      expect(await deliver(older('invoice.payment_failed', cycle))).toMatchObject({
        change: { kind: 'renewal_failed', subscriptionReference: 'sub_older', paid: null },
      });
    });
  });

  it('of a refund tell its state, and our id of it', async () => {
    const { providerReference } = await paid();
    stripe.account.refundStatus = 'pending';
    const refundId = aCheckout().paymentId;
    const refund = await provider.refund({ refundId, providerReference, amount: 500n, currency: 'USD' });
    const settled = (change: object) =>
      deliver(stripe.account.settleRefund(refund.providerReference, { ...change }));
    const named = { about: 'refund', providerReference: refund.providerReference, ourId: refundId };
    expect(await settled({ status: 'requires_action' })).toMatchObject({
      ...named,
      state: { status: 'pending' },
    });
    expect(await settled({ status: 'succeeded' })).toMatchObject({
      ...named,
      state: { status: 'succeeded', paid: { amount: 500n, currency: 'USD' } },
    });
    expect(await settled({ status: 'failed', failure_reason: 'declined' })).toMatchObject({
      ...named,
      state: { status: 'failed', paid: null, failureCode: 'declined' },
    });
    expect(await settled({ status: 'canceled' })).toMatchObject({ ...named, state: { status: 'cancelled' } });
  });

  it('of a payout tell that the money came back; those of other transfers tell nothing', async () => {
    const payoutId = aCheckout().paymentId;
    const order = {
      payoutId,
      destination: CONNECTED_ACCOUNT,
      amount: 500n,
      currency: 'USD',
      description: 'x',
    };
    const { providerReference } = await provider.payOut(order);
    const transfer = stripe.account.get(providerReference);
    expect(await deliver(stripe.account.event('transfer.created', transfer))).toMatchObject({
      about: 'payout',
      providerReference,
      ourId: payoutId,
      state: { status: 'succeeded', paid: { amount: 500n, currency: 'USD' } },
    });
    expect(await deliver(stripe.account.reverse(providerReference))).toMatchObject({
      about: 'payout',
      state: { status: 'failed', paid: null, failureCode: 'transfer_reversed' },
    });
    const other = { ...transfer, metadata: {} };
    expect(await deliver(stripe.account.event('transfer.created', other))).toMatchObject({
      about: 'nothing',
    });
  });

  describe('of a dispute', () => {
    it.each([
      ['created', 'needs_response', 'opened'],
      ['funds_withdrawn', 'needs_response', 'funds_withdrawn'],
      ['funds_reinstated', 'won', 'funds_reinstated'],
      ['closed', 'won', 'won'],
      ['closed', 'warning_closed', 'won'],
      ['closed', 'lost', 'lost'],
    ])('%s with %s: %s, of the payment and not of its charge', async (type, status, kind) => {
      const { order, providerReference } = await paid();
      const intent = stripe.account.get(providerReference)['payment_intent'] as string;
      const event = stripe.account.dispute(intent, type, status);
      expect(await deliver(event)).toMatchObject({
        about: 'dispute',
        providerReference,
        ourId: order.paymentId,
        state: null,
        change: {
          kind,
          disputeReference: event.data.object.id,
          disputed: { amount: 2500n, currency: 'USD' },
        },
      });
    });

    it('name the checkout of a subscription, or the invoice of a renewal', async () => {
      const { order, providerReference } = await paid({ purpose: 'subscription' });
      const subscription = stripe.account.get(providerReference)['subscription'] as string;
      const renewal = stripe.account.renew(subscription).data.object.id;
      const [first, second] = stripe.account
        .all('invoice_payment')
        .slice(-2)
        .map(({ payment }) => (payment as { payment_intent: string }).payment_intent);
      expect(await deliver(stripe.account.dispute(first!, 'created'))).toMatchObject({
        providerReference,
        ourId: order.paymentId,
      });
      expect(await deliver(stripe.account.dispute(second!, 'created'))).toMatchObject({
        providerReference: renewal,
        ourId: null,
      });
    });

    it('name the charge where it is none of ours, and are refused while Stripe cannot be asked', async () => {
      const { providerReference } = await paid();
      const intent = stripe.account.get(providerReference)['payment_intent'] as string;
      const event = stripe.account.dispute(intent, 'created');
      const foreign = { ...event.data.object, payment_intent: null, charge: 'ch_foreign' };
      expect(await deliver({ ...event, data: { object: foreign } })).toMatchObject({
        about: 'dispute',
        providerReference: 'ch_foreign',
      });
      stripe.next = [{ status: 500 }, { status: 500 }, { status: 500 }];
      await expect(deliver(event)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
      expect(await deliver(event)).toMatchObject({ providerReference });
    });
  });

  describe('signed', () => {
    const invalid = { code: 'WEBHOOK_SIGNATURE_INVALID' };
    const event = { id: 'evt_1', object: 'event', type: 'price.created', data: { object: {} } };
    const parsed = async (delivery: Partial<Delivery>) =>
      await provider.parseWebhook({ ...stripe.delivery(event), ...delivery });
    const now = () => Math.floor(Date.now() / 1000);

    it.each([
      ['without a signature', () => ({ headers: {} })],
      ['with an empty one', () => ({ headers: { 'stripe-signature': '' } })],
      ['with two headers of it', () => ({ headers: { 'stripe-signature': ['t=1', 'v1=2'] as never } })],
      ['with nonsense', () => ({ headers: { 'stripe-signature': 'nonsense' } })],
      ['by another secret', () => stripe.delivery(event, { secret: 'whsec_another_secret' })],
      ['over another body', () => ({ rawBody: Buffer.from(JSON.stringify(event)) })],
      ['six minutes ago', () => stripe.delivery(event, { at: now() - 360 })],
      ['a week ago', () => stripe.delivery(event, { at: now() - 604_800 })],
      [
        'in a scheme that is no longer trusted',
        () => {
          const { headers } = stripe.delivery(event);
          return { headers: { 'stripe-signature': headers['stripe-signature']!.replace('v1=', 'v0=') } };
        },
      ],
    ])('%s they are refused', async (_, delivery) => {
      await expect(parsed(delivery())).rejects.toMatchObject(invalid);
    });

    it('with a new time over an old signature they are refused', async () => {
      const { headers, rawBody } = stripe.delivery(event, { at: now() - 3600 });
      const again = headers['stripe-signature']!.replace(/t=\d+/, `t=${now()}`);
      await expect(parsed({ rawBody, headers: { 'stripe-signature': again } })).rejects.toMatchObject(
        invalid,
      );
    });

    it('by two secrets, as while one is rolled, or four minutes ago they are taken', async () => {
      const { headers } = stripe.delivery(event);
      const rolled = headers['stripe-signature']!.replace('v1=', `v1=${'0'.repeat(64)},v1=`);
      expect(await parsed({ headers: { 'stripe-signature': rolled } })).toMatchObject({ eventId: 'evt_1' });
      expect(await parsed(stripe.delivery(event, { at: now() - 240 }))).toMatchObject({ eventId: 'evt_1' });
    });

    it.each([
      ['no JSON', 'no JSON'],
      ['an event of the second kind, which carries no object', '{"object":"v2.core.event","id":"evt_2"}'],
      ['no event', '{"object":"charge"}'],
      ['nothing', 'null'],
    ])('as %s they cannot be read', async (_, body) => {
      const header = library.webhooks.generateTestHeaderString({
        payload: body,
        secret: STRIPE_WEBHOOK_SECRET,
      });
      const delivery = { rawBody: Buffer.from(body), headers: { 'stripe-signature': header } };
      await expect(provider.parseWebhook(delivery)).rejects.toMatchObject({ code: 'WEBHOOK_MALFORMED' });
    });
  });

  describe('that Stripe has really sent', () => {
    const HANDLED: Record<string, object> = {
      'checkout.session.completed': {
        about: 'payment',
        providerReference: `cs_test_${'0'.repeat(58)}`,
        state: { status: 'succeeded', paid: { amount: 3000n, currency: 'USD' } },
      },
      'checkout.session.completed.payment_mode': {
        about: 'payment',
        providerReference: 'cs_00000000000000',
        state: { status: 'succeeded', paid: { amount: 25_000n, currency: 'USD' } },
      },
      'charge.refund.updated': {
        about: 'refund',
        providerReference: 're_000000000000000000000000',
        state: { status: 'succeeded', paid: { amount: 100n, currency: 'USD' } },
      },
      'charge.dispute.created': { about: 'dispute', change: { kind: 'opened' } },
      'charge.dispute.funds_withdrawn': {
        about: 'dispute',
        providerReference: 'ch_00000000000000',
        change: { kind: 'funds_withdrawn', disputed: { amount: 25_000n, currency: 'USD' } },
      },
      'charge.dispute.funds_reinstated': { about: 'dispute', change: { kind: 'funds_reinstated' } },
      'charge.dispute.closed': {
        about: 'dispute',
        change: { kind: 'won', disputed: { amount: 1000n, currency: 'USD' } },
      },
      'customer.subscription.deleted': {
        about: 'subscription',
        change: {
          kind: 'cancelled',
          subscriptionReference: `sub_${'0'.repeat(24)}`,
          periodEnd: new Date(1_650_998_496_000),
        },
      },
    };
    const names = (folder: string) => readdirSync(folder).map((name) => name.replace(/\.json$/, ''));
    const folders = existsSync(BESIDE) ? [COPIED, BESIDE] : [COPIED];
    const bodies = folders.flatMap((folder) => names(folder).map((name) => [name, folder] as const));

    it('are a dozen at least, all that we handle among them', () => {
      expect(names(COPIED).length).toBeGreaterThanOrEqual(12);
      expect(Object.keys(HANDLED).filter((name) => !names(COPIED).includes(name))).toEqual([]);
    });

    it.each(bodies)('%s is read, signed as Stripe’s own library signs (%s)', async (name, folder) => {
      const payload = readFileSync(join(folder, `${name}.json`), 'utf8');
      const secret = STRIPE_WEBHOOK_SECRET;
      const header = library.webhooks.generateTestHeaderString({ payload, secret });
      const rawBody = Buffer.from(payload);
      const read = await provider.parseWebhook({ rawBody, headers: { 'stripe-signature': header } });
      expect(read).toMatchObject(HANDLED[name] ?? { about: 'nothing', providerReference: null, state: null });
      const { id, type } = JSON.parse(payload) as StripeEvent;
      expect(read).toMatchObject({ eventId: id, type });
    });
  });
});
