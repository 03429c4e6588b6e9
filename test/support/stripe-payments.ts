import { Clock } from '../../src/platform/clock/clock.js';
import { loadAppConfig } from '../../src/platform/config/load-config.js';
import { newId } from '../../src/platform/database/ids.js';
import type { CheckoutOrder } from '../../src/modules/payments/provider.js';
import { StripeProvider } from '../../src/modules/payments/providers/stripe/stripe.provider.js';
import { STRIPE_KEY, STRIPE_WEBHOOK_SECRET, type StripeServer } from './stripe-server.js';

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
