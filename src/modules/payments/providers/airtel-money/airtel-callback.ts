import { createHmac, timingSafeEqual } from 'node:crypto';
import type { WebhookRequest } from '../../provider.js';

/**
 * Whether the callback was hashed (HMAC-SHA256, base64) under the application's key. Airtel's documents leave open what it hashes and
 * where it puts the hash: the body as it came, with the hash in a header, or the body or its transaction without the hash that
 * is a member beside it. Each of these needs the key, so any of them proves as much.
 */
export function isAuthentic(
  { rawBody, headers }: WebhookRequest,
  body: Readonly<Record<string, unknown>>,
  key: string,
): boolean {
  const { hash, ...rest } = body;
  const header = headers['hash'];
  return (
    (typeof header === 'string' && matches(header, rawBody, key)) ||
    (typeof hash === 'string' &&
      (matches(hash, JSON.stringify(rest), key) ||
        matches(hash, JSON.stringify(rest['transaction'] ?? null), key)))
  );
}

function matches(hash: string, text: string | Buffer, key: string): boolean {
  const expected = createHmac('sha256', key).update(text).digest();
  const given = Buffer.from(hash, 'base64');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
