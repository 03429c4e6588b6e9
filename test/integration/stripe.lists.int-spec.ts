import { describe, expect, it } from '@jest/globals';
import type { StripeProvider } from '../../src/modules/payments/providers/stripe/stripe.provider.js';
import { aCheckout, aPaidCheckout, paysByStripe } from '../support/stripe-payments.js';
import type { StripeServer } from '../support/stripe-server.js';

const UNAVAILABLE = { code: 'PROVIDER_UNAVAILABLE' };

describe('paying by Stripe', () => {
  let stripe: StripeServer;
  let provider: StripeProvider;

  paysByStripe((paying) => {
    ({ stripe, provider } = paying);
  });

  const paid = async (over = {}) => aPaidCheckout(stripe, provider, over);

  describe('the list of what was booked', () => {
    const DAY = 86_400;

    it('has everything of the time, whatever paged, and nothing else', async () => {
      stripe.account.now += 10 * DAY;
      const from = stripe.account.now;
      const known = new Map<string, string | null>();
      for (let index = 0; index < 120; index++) {
        const { order, providerReference } = await paid();
        known.set(providerReference, order.paymentId);
      }
      const monthly = await paid({ purpose: 'subscription' });
      known.set(monthly.providerReference, monthly.order.paymentId);
      await provider.createCheckout(aCheckout());
      const late = await provider.createCheckout(aCheckout());
      stripe.account.payLater(late.providerReference);
      const subscription = stripe.account.get(monthly.providerReference)['subscription'] as string;
      stripe.account.now += DAY;
      const renewal = stripe.account.renew(subscription).data.object.id;
      known.set(renewal, null);
      stripe.account.settleLater(late.providerReference, true);
      const to = stripe.account.now + 1;
      stripe.account.now += DAY;
      await paid();

      const listed = await all(provider.list(new Date(from * 1000), new Date(to * 1000)));
      known.set(
        late.providerReference,
        stripe.account.get(late.providerReference)['client_reference_id'] as string,
      );
      expect(
        new Map(listed.map(({ providerReference, paymentId }) => [providerReference, paymentId])),
      ).toEqual(known);
      expect(listed).toHaveLength(known.size);
      expect(listed.every(({ status, paid: got }) => status === 'succeeded' && got?.amount === 2500n)).toBe(
        true,
      );
      expect(listed.find(({ providerReference }) => providerReference === renewal)).toMatchObject({
        subscriptionReference: subscription,
        at: new Date((to - 1) * 1000),
      });
      // Pages of a hundred, and not a question for each payment.
      expect(stripe.requests.filter(({ method }) => method === 'GET').length).toBeLessThan(12);
    });

    it('fails as a whole when a page of it cannot be had', async () => {
      const page = [{ status: 500 }, { status: 500 }, { status: 500 }];
      stripe.next = [...page];
      const to = new Date((stripe.account.now + 1) * 1000);
      await expect(all(provider.list(new Date(0), to))).rejects.toMatchObject(UNAVAILABLE);
      const items = provider.list(new Date(0), to);
      stripe.requests.length = 0;
      await items[Symbol.asyncIterator]().next(); // a page of what was booked, and one of sessions
      stripe.next = [...page];
      await expect(all(items)).rejects.toMatchObject(UNAVAILABLE);
    });

    async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
      const found: T[] = [];
      for await (const item of items) found.push(item);
      return found;
    }
  });
});
