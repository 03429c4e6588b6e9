import Stripe from 'stripe';
import type { AppConfig } from '../config/app-config.js';

/**
 * The version of the API that the code is written for, and that the webhook endpoint must be made with: Stripe renders
 * answers and events in it, whatever the account's own is. A newer library does not compile against this line, so that
 * whoever raises it reads what has changed.
 */
export const STRIPE_API_VERSION = '2026-10-28.endive';

/** Of one try; people wait for checkouts. */
const TIMEOUT_MS = 10_000;
/** Tries after the first, each under the same idempotency key. */
const RETRIES = 2;

export function stripeClient(secretKey: string, { STRIPE_API_BASE }: AppConfig): Stripe {
  const { protocol, hostname, port } = new URL(STRIPE_API_BASE);
  return new Stripe(secretKey, {
    apiVersion: STRIPE_API_VERSION,
    timeout: TIMEOUT_MS,
    maxNetworkRetries: RETRIES,
    telemetry: false,
    protocol: protocol === 'http:' ? 'http' : 'https',
    host: hostname,
    port: port || (protocol === 'http:' ? 80 : 443),
  });
}
