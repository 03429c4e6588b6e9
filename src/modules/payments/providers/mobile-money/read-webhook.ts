import { paymentsErrors } from '../../payments.errors.js';
import type { WebhookRequest } from '../../provider.js';
import { isObject } from './json-api.js';

/** The body of a callback, of which nothing is believed yet. Throws WEBHOOK_MALFORMED. */
export function readWebhook({ rawBody }: WebhookRequest): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(rawBody.toString('utf8'));
  } catch {
    throw paymentsErrors.WEBHOOK_MALFORMED();
  }
  if (!isObject(body)) throw paymentsErrors.WEBHOOK_MALFORMED();
  return body;
}
