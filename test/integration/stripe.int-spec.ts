import { describe, expect, it } from '@jest/globals';
import { loadAppConfig } from '../../src/platform/config/load-config.js';
import { newId } from '../../src/platform/database/ids.js';
import { STRIPE_API_VERSION, stripeClient } from '../../src/platform/stripe/stripe-client.js';
import type { StripeProvider } from '../../src/modules/payments/providers/stripe/stripe.provider.js';
import { type Params, paramsOf } from '../support/stripe-document.js';
import { aCheckout, aPaidCheckout, paysByStripe, stripeProvider } from '../support/stripe-payments.js';
import type { StripeServer } from '../support/stripe-server.js';

const UNAVAILABLE = { code: 'PROVIDER_UNAVAILABLE' };

describe('paying by Stripe', () => {
  let stripe: StripeServer;
  let provider: StripeProvider;

  paysByStripe((paying) => {
    ({ stripe, provider } = paying);
  });

  const sent = (): Params => paramsOf(stripe.requests.at(-1)!.form);
  const sessions = () => stripe.account.all('checkout.session');
  const stateOf = async (paymentId: string, providerReference: string | null) =>
    await provider.fetchState({ paymentId, providerReference });
  const paid = async (over = {}) => aPaidCheckout(stripe, provider, over);
  const intentOf = (reference: string) => stripe.account.get(reference)['payment_intent'] as string;

  describe('a checkout', () => {
    it('is a hosted page for the amount, made under our id, in the pinned version', async () => {
      const order = aCheckout();
      const checkout = await provider.createCheckout(order);
      expect(checkout).toMatchObject({ status: 'pending', paid: null, failureCode: null });
      expect(checkout.redirectUrl).toBe(`https://checkout.stripe.com/c/pay/${checkout.providerReference}`);
      const { headers } = stripe.requests[0]!;
      expect(headers['idempotency-key']).toBe(order.paymentId);
      expect(headers['stripe-version']).toBe(STRIPE_API_VERSION);
      expect(sent()).toEqual({
        mode: 'payment',
        client_reference_id: order.paymentId,
        metadata: { paymentId: order.paymentId },
        line_items: [
          {
            quantity: '1',
            price_data: { currency: 'usd', unit_amount: '2500', product_data: { name: 'Deposit' } },
          },
        ],
        payment_intent_data: { description: 'Deposit', metadata: { paymentId: order.paymentId } },
        success_url: order.returnUrl,
        cancel_url: order.returnUrl,
      });
      expect(stripe.problems).toEqual([]);
    });

    it.each(['week_pass', 'buy_back', 'deposit'] as const)('of a %s is paid once', async (purpose) => {
      await provider.createCheckout(aCheckout({ purpose }));
      expect(sent()).toMatchObject({ mode: 'payment' });
    });

    it('of a subscription recurs each month', async () => {
      const { paymentId } = aCheckout();
      await provider.createCheckout(aCheckout({ paymentId, purpose: 'subscription' }));
      expect(sent()).toMatchObject({
        mode: 'subscription',
        line_items: [{ price_data: { recurring: { interval: 'month' } } }],
        subscription_data: { metadata: { paymentId } },
      });
      expect(stripe.problems).toEqual([]);
    });

    it.each([
      ['UGX', 5000n, 500_000],
      ['ISK', 900n, 90_000],
      ['XAF', 5000n, 5000],
      ['KWD', 5120n, 5120],
    ])('of %s %i is of the same money there', async (currency, amount, theirs) => {
      const { order, providerReference } = await paid({ currency, amount });
      expect(stripe.account.get(providerReference)['amount_total']).toBe(theirs);
      expect(await stateOf(order.paymentId, providerReference)).toMatchObject({
        status: 'succeeded',
        paid: { amount, currency },
      });
    });

    it('is one, however often and at once it is asked for', async () => {
      const order = aCheckout();
      const before = sessions().length;
      const checkouts = await Promise.all(
        Array.from({ length: 50 }, async () => await provider.createCheckout(order)),
      );
      expect(new Set(checkouts.map(({ providerReference }) => providerReference)).size).toBe(1);
      expect(sessions().length - before).toBe(1);
    });

    it('is one when the connection breaks before the answer, or before the request', async () => {
      const before = sessions().length;
      stripe.next = ['lost', 'break'];
      const { providerReference } = await provider.createCheckout(aCheckout());
      expect(
        sessions()
          .slice(before)
          .map(({ id }) => id),
      ).toEqual([providerReference]);
      const keys = stripe.requests.map(({ headers }) => headers['idempotency-key']);
      expect([keys.length, new Set(keys).size]).toEqual([3, 1]);
    });

    it.each([
      ['too small an amount', { amount: 49n }, 'amount_too_small'],
      ['too large an amount', { amount: 100_000_000n }, 'amount_too_large'],
      ['an amount it cannot say', { amount: 5124n, currency: 'KWD' }, 'amount_not_possible'],
      ['a currency it does not take', { currency: 'IRR' }, 'amount_not_possible'],
    ])('is declined for %s', async (_, over, failureCode) => {
      const order = aCheckout(over);
      const checkout = await provider.createCheckout(order);
      const nothing = { providerReference: order.paymentId, status: 'failed', paid: null, redirectUrl: null };
      expect(checkout).toEqual({ ...nothing, failureCode });
      expect(await stateOf(order.paymentId, order.paymentId)).toBeNull();
    });
  });

  describe('the state', () => {
    it('is pending while the page is open, even after a card was declined there', async () => {
      const order = aCheckout();
      const { providerReference } = await provider.createCheckout(order);
      expect(await stateOf(order.paymentId, providerReference)).toMatchObject({ status: 'pending' });
      stripe.account.decline(providerReference, 'insufficient_funds');
      expect(await stateOf(order.paymentId, providerReference)).toMatchObject({ status: 'pending' });
      stripe.account.expire(providerReference);
      expect(await stateOf(order.paymentId, providerReference)).toMatchObject({
        status: 'expired',
        paid: null,
      });
    });

    it('tells what was paid, and by which names the payment goes', async () => {
      const { order, providerReference } = await paid();
      const intent = intentOf(providerReference);
      expect(await stateOf(order.paymentId, providerReference)).toEqual({
        providerReference,
        status: 'succeeded',
        paid: { amount: 2500n, currency: 'USD' },
        failureCode: null,
        subscriptionReference: null,
        periodEnd: null,
        alsoKnownAs: [intent, stripe.account.get(intent)['latest_charge']],
      });
    });

    it('waits for a bank that answers days later', async () => {
      const order = aCheckout();
      for (const comes of [true, false]) {
        const { providerReference } = await provider.createCheckout({ ...order, paymentId: newId() });
        stripe.account.payLater(providerReference);
        expect(await stateOf(order.paymentId, providerReference)).toMatchObject({ status: 'pending' });
        stripe.account.settleLater(providerReference, comes);
        expect(await stateOf(order.paymentId, providerReference)).toMatchObject(
          comes
            ? { status: 'succeeded', failureCode: null }
            : { status: 'failed', failureCode: 'payment_intent_payment_attempt_failed' },
        );
      }
    });

    it('is found by our id when the reference was lost', async () => {
      const once = await paid();
      expect(await stateOf(once.order.paymentId, null)).toMatchObject({
        providerReference: once.providerReference,
        status: 'succeeded',
      });
      const monthly = await paid({ purpose: 'subscription' });
      expect(await stateOf(monthly.order.paymentId, null)).toMatchObject({
        providerReference: monthly.providerReference,
        status: 'succeeded',
      });
    });

    it('is unknown of what nobody was sent to, or what is not there', async () => {
      const order = aCheckout();
      await provider.createCheckout(order);
      expect(await stateOf(order.paymentId, null)).toBeNull();
      expect(await stateOf(newId(), 'cs_test_of_another_account')).toBeNull();
      expect(await stateOf(newId(), 'in_of_another_account')).toBeNull();
    });
  });

  describe('a subscription', () => {
    it('tells its own reference, and until when it is paid', async () => {
      const { order, providerReference } = await paid({ purpose: 'subscription' });
      const { subscription, invoice } = stripe.account.get(providerReference);
      expect(await stateOf(order.paymentId, providerReference)).toMatchObject({
        status: 'succeeded',
        paid: { amount: 2500n, currency: 'USD' },
        subscriptionReference: subscription,
        periodEnd: new Date((stripe.account.now + 30 * 86_400) * 1000),
        alsoKnownAs: [invoice, expect.stringMatching(/^pi_/)],
      });
    });

    it('has renewals, each known by its invoice', async () => {
      const { providerReference } = await paid({ purpose: 'subscription' });
      const subscription = stripe.account.get(providerReference)['subscription'] as string;
      const renewed = stripe.account.renew(subscription).data.object.id;
      expect(await stateOf(newId(), renewed)).toMatchObject({
        providerReference: renewed,
        status: 'succeeded',
        paid: { amount: 2500n, currency: 'USD' },
        subscriptionReference: subscription,
      });
      const failed = stripe.account.renew(subscription, false).data.object.id;
      expect(await stateOf(newId(), failed)).toMatchObject({ status: 'pending', paid: null });
    });

    it('ends with the paid period, and is ended once', async () => {
      const { providerReference } = await paid({ purpose: 'subscription' });
      const subscription = stripe.account.get(providerReference)['subscription'] as string;
      await provider.cancelSubscription(subscription);
      await provider.cancelSubscription(subscription);
      const { status, cancel_at_period_end } = stripe.account.get(subscription);
      expect({ status, cancel_at_period_end }).toEqual({ status: 'active', cancel_at_period_end: true });
      stripe.account.endSubscription(subscription);
      await provider.cancelSubscription(subscription);
      expect(
        stripe.requests.filter(({ method, path }) => method === 'POST' && path.includes('sub_')),
      ).toHaveLength(1);
    });
  });

  describe('a failure', () => {
    it.each([
      ['of theirs', { status: 500 }],
      ['of theirs for good', { status: 500, retry: false }],
      ['by too many requests', { status: 429, type: 'rate_limit_error', code: 'rate_limit' }],
      [
        'by a request still at work',
        { status: 409, type: 'idempotency_error', code: 'idempotency_key_in_use' },
      ],
      ['of the connection', 'break' as const],
    ])('%s leaves the outcome open', async (_, fault) => {
      stripe.next = [fault, fault, fault];
      await expect(provider.createCheckout(aCheckout())).rejects.toMatchObject(UNAVAILABLE);
      stripe.next = [fault, fault, fault];
      await expect(stateOf(newId(), 'cs_test_1')).rejects.toMatchObject(UNAVAILABLE);
    });

    it('after which it was done leaves it open too, and the next try finds it done', async () => {
      const order = aCheckout();
      const before = sessions().length;
      stripe.next = ['lost', 'lost', 'lost'];
      await expect(provider.createCheckout(order)).rejects.toMatchObject(UNAVAILABLE);
      expect(await provider.createCheckout(order)).toMatchObject({ status: 'pending' });
      expect(sessions().length - before).toBe(1);
    });

    it.each([
      ['a wrong key', { status: 401, type: 'invalid_request_error' }],
      ['a key that may not', { status: 403, type: 'invalid_request_error' }],
      ['a key used for something else', { status: 400, type: 'idempotency_error' }],
      ['a field that is not', { status: 400, type: 'invalid_request_error', code: 'parameter_unknown' }],
    ])('by %s is our own, and no answer about the payment', async (_, fault) => {
      stripe.next = [fault];
      const failure = await provider.createCheckout(aCheckout()).catch((error: unknown) => error as Error);
      expect(failure).toMatchObject({
        name: 'Error',
        message: expect.stringMatching(`statusCode=${fault.status}`),
      });
    });

    it('tells nothing of the key', async () => {
      const failure = await stripeProvider(stripe, { STRIPE_SECRET_KEY: 'sk_test_someoneelses' })
        .createCheckout(aCheckout())
        .catch((error: unknown) => error);
      expect(String(failure)).toContain('StripeAuthenticationError statusCode=401');
      expect(JSON.stringify(failure) + String(failure)).not.toContain('sk_test');
    });

    it('is waited for ten seconds, three times', () => {
      const config = loadAppConfig({
        DATABASE_URL: 'postgres://127.0.0.1/none',
        REDIS_URL: 'redis://127.0.0.1',
        JWT_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----',
      });
      const client = stripeClient('sk_test_x', config);
      expect(client.getApiField('timeout')).toBe(10_000);
      expect(client.getMaxNetworkRetries()).toBe(2);
      expect(client.getApiField('version')).toBe(STRIPE_API_VERSION);
      expect([
        client.getApiField('host'),
        client.getApiField('port'),
        client.getApiField('protocol'),
      ]).toEqual(['api.stripe.com', 443, 'https']);
    });
  });
});
