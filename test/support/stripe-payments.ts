import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { Clock } from '../../src/platform/clock/clock.js';
import { loadAppConfig } from '../../src/platform/config/load-config.js';
import { newId } from '../../src/platform/database/ids.js';
import type { CheckoutOrder } from '../../src/modules/payments/provider.js';
import { StripeProvider } from '../../src/modules/payments/providers/stripe/stripe.provider.js';
import { STRIPE_KEY, STRIPE_WEBHOOK_SECRET, StripeServer } from './stripe-server.js';

/** The adapter, speaking to the stand-in. */
export function stripeProvider(
  stripe: StripeServer,
  over: Record<string, string> = {},
  clock: Clock = new Clock(),
): StripeProvider {
  const config = loadAppConfig({
    DATABASE_URL: 'postgres://127.0.0.1/none',
    REDIS_URL: 'redis://127.0.0.1',
    JWT_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----',
    ...stripe.env,
    ...over,
  });
  const {
    STRIPE_SECRET_KEY: secretKey = STRIPE_KEY,
    STRIPE_WEBHOOK_SECRET: webhookSecret = STRIPE_WEBHOOK_SECRET,
  } = config;
  return new StripeProvider({ secretKey, webhookSecret }, config, clock);
}

export function aCheckout(over: Partial<CheckoutOrder> = {}): CheckoutOrder {
  return {
    paymentId: newId(),
    purpose: 'deposit',
    description: 'Deposit',
    amount: 2500n,
    currency: 'USD',
    returnUrl: 'https://app.example.com/paid',
    payerPhone: null,
    ...over,
  };
}

/** A checkout that was paid. */
export async function aPaidCheckout(
  stripe: StripeServer,
  provider: StripeProvider,
  over: Partial<CheckoutOrder> = {},
): Promise<{ order: CheckoutOrder; providerReference: string }> {
  const order = aCheckout(over);
  const { providerReference } = await provider.createCheckout(order);
  stripe.account.pay(providerReference);
  return { order, providerReference };
}

/** For a file of tests: one Stripe, of which no test sees what was asked before it. */
export function paysByStripe(
  begin: (paying: { stripe: StripeServer; provider: StripeProvider }) => void,
): void {
  const stripe = new StripeServer();
  beforeAll(async () => {
    await stripe.start();
    begin({ stripe, provider: stripeProvider(stripe) });
  });
  afterAll(async () => stripe.stop());
  beforeEach(() => {
    stripe.next = [];
    stripe.problems.length = 0;
    stripe.requests.length = 0;
    stripe.account.refundStatus = 'succeeded';
  });
}
