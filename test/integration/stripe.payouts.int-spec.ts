import { describe, expect, it } from '@jest/globals';
import { v4 } from 'uuid';
import { newId } from '../../src/platform/database/ids.js';
import type { StripeProvider } from '../../src/modules/payments/providers/stripe/stripe.provider.js';
import { CONNECTED_ACCOUNT } from '../support/stripe-account.js';
import { aCheckout, aPaidCheckout, paysByStripe, stripeProvider } from '../support/stripe-payments.js';
import type { StripeServer } from '../support/stripe-server.js';

describe('paying by Stripe', () => {
  let stripe: StripeServer;
  let provider: StripeProvider;

  paysByStripe((paying) => {
    ({ stripe, provider } = paying);
  });

  const paid = async (over = {}) => aPaidCheckout(stripe, provider, over);
  const intentOf = (reference: string) => stripe.account.get(reference)['payment_intent'] as string;

  describe('a refund', () => {
    const aRefund = (providerReference: string, over = {}) => ({
      refundId: newId(),
      providerReference,
      amount: 1000n,
      currency: 'USD',
      ...over,
    });

    it('gives back a part, and then no more than the rest', async () => {
      const { providerReference } = await paid();
      const order = aRefund(providerReference);
      const refunded = await provider.refund(order);
      expect(refunded).toMatchObject({ status: 'succeeded', paid: { amount: 1000n, currency: 'USD' } });
      expect(await provider.refund(order)).toEqual(refunded);
      expect(await provider.refund(aRefund(providerReference, { amount: 1501n }))).toMatchObject({
        status: 'failed',
        failureCode: 'refused',
      });
      expect(await provider.refund(aRefund(providerReference, { amount: 1500n }))).toMatchObject({
        status: 'succeeded',
      });
      expect(await provider.refund(aRefund(providerReference))).toMatchObject({
        status: 'failed',
        failureCode: 'charge_already_refunded',
      });
      const all = stripe.account
        .all('refund')
        .filter((each) => each['payment_intent'] === intentOf(providerReference));
      expect(all.map(({ amount }) => amount)).toEqual([1000, 1500]);
    });

    it('of a subscription gives back what its invoice was paid by, and so of a renewal', async () => {
      const { providerReference } = await paid({ purpose: 'subscription' });
      const subscription = stripe.account.get(providerReference)['subscription'] as string;
      const renewal = stripe.account.renew(subscription).data.object.id;
      for (const reference of [providerReference, renewal])
        expect(await provider.refund(aRefund(reference, { amount: 2500n }))).toMatchObject({
          status: 'succeeded',
        });
      const [first, second] = stripe.account.all('refund').slice(-2);
      expect(first!['payment_intent']).not.toBe(second!['payment_intent']);
    });

    it('is not asked for in another currency, or of what was not paid', async () => {
      const { providerReference } = await paid();
      const open = await provider.createCheckout(aCheckout());
      const refused = { status: 'failed', failureCode: 'not_refundable' };
      expect(await provider.refund(aRefund(providerReference, { currency: 'EUR' }))).toMatchObject(refused);
      expect(await provider.refund(aRefund(open.providerReference))).toMatchObject(refused);
      expect(await provider.refund(aRefund('cs_test_nowhere'))).toMatchObject(refused);
      expect(
        stripe.requests.filter(({ method, path }) => method === 'POST' && path === '/v1/refunds'),
      ).toEqual([]);
    });

    it('is followed by its reference, or by our id when that was lost', async () => {
      const { providerReference } = await paid();
      stripe.account.refundStatus = 'pending';
      const order = aRefund(providerReference);
      const { providerReference: reference } = await provider.refund(order);
      const fetched = async (ref: string | null, refundId = order.refundId) =>
        await provider.fetchRefund({ refundId, providerReference: ref });
      expect(await fetched(reference)).toMatchObject({ status: 'pending', paid: null });
      expect(await fetched(null)).toMatchObject({ providerReference: reference });
      expect(await fetched(null, v4())).toBeNull();
      expect(await fetched('re_nowhere')).toBeNull();
      stripe.account.settleRefund(reference, { status: 'failed', failure_reason: 'lost_or_stolen_card' });
      expect(await fetched(reference)).toMatchObject({
        status: 'failed',
        failureCode: 'lost_or_stolen_card',
      });
    });
  });

  describe('a payout', () => {
    const aPayout = (over = {}) => ({
      payoutId: newId(),
      destination: CONNECTED_ACCOUNT,
      amount: 1000n,
      currency: 'USD',
      description: 'Withdrawal',
      ...over,
    });

    it('is a transfer to the connected account, made once', async () => {
      const order = aPayout();
      stripe.next = ['lost'];
      const [first, ...others] = await Promise.all(
        Array.from({ length: 10 }, async () => await provider.payOut(order)),
      );
      expect(first).toMatchObject({ status: 'succeeded', paid: { amount: 1000n, currency: 'USD' } });
      for (const other of others) expect(other).toEqual(first);
      const transfers = stripe.account
        .all('transfer')
        .filter((each) => each['transfer_group'] === order.payoutId);
      expect(transfers).toHaveLength(1);
      expect(transfers[0]).toMatchObject({ destination: CONNECTED_ACCOUNT, amount: 1000, currency: 'usd' });
    });

    it.each([
      ['an account that is not ours', { destination: 'acct_of_nobody' }, 'resource_missing'],
      ['more than there is', { amount: 90_000_000n }, 'balance_insufficient'],
      ['an amount it cannot say', { amount: 1n, currency: 'BHD' }, 'amount_not_possible'],
    ])('fails for sure to %s', async (_, over, failureCode) => {
      const order = aPayout(over);
      expect(await provider.payOut(order)).toMatchObject({ status: 'failed', paid: null, failureCode });
      expect(await provider.fetchPayout({ payoutId: order.payoutId, providerReference: null })).toBeNull();
    });

    it('is followed by its reference, or by our id, and fails when it was reversed', async () => {
      const { payoutId } = aPayout();
      const { providerReference } = await provider.payOut(aPayout({ payoutId }));
      expect(await provider.fetchPayout({ payoutId, providerReference: null })).toMatchObject({
        providerReference,
        status: 'succeeded',
      });
      stripe.account.reverse(providerReference);
      expect(await provider.fetchPayout({ payoutId, providerReference })).toMatchObject({
        status: 'failed',
        failureCode: 'transfer_reversed',
      });
      expect(await provider.fetchPayout({ payoutId, providerReference: 'tr_nowhere' })).toBeNull();
    });
  });

  it('gives money away once even after Stripe has forgotten the key', async () => {
    const nextDay = stripeProvider(stripe, {}, { now: () => new Date(Date.now() + 86_400_000) });
    const { providerReference } = await paid();
    const money = { amount: 500n, currency: 'USD' };
    const refund = { refundId: newId(), providerReference, ...money };
    const payout = { payoutId: newId(), destination: CONNECTED_ACCOUNT, description: 'Withdrawal', ...money };
    const given = () => stripe.account.all('refund').length + stripe.account.all('transfer').length;
    const before = given();
    for (const at of [provider, nextDay]) {
      expect(await at.refund(refund)).toMatchObject({ status: 'succeeded' });
      expect(await at.payOut(payout)).toMatchObject({ status: 'succeeded' });
      stripe.forgetKeys();
    }
    expect(given() - before).toBe(2);
  });
});
