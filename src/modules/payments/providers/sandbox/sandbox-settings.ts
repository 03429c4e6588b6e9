import { createHmac, hkdfSync } from 'node:crypto';
import type { AppConfig } from '../../../../platform/config/app-config.js';
import { developmentKey } from '../../../../platform/security/key-ring.js';

/** What a merchant is given by a provider, and both sides know. */
export interface SandboxSettings {
  /** Origin under which it is reached, by browsers and by our own processes. */
  readonly url: string;
  readonly apiKey: string;
  readonly webhookSecret: string;
}

export function sandboxIsOn({ NODE_ENV, PAYMENTS_SANDBOX }: AppConfig): boolean {
  return PAYMENTS_SANDBOX === undefined ? NODE_ENV !== 'production' : PAYMENTS_SANDBOX === 'on';
}

/** Without a secret in the environment one is derived, so that the API and the worker of a developer's machine agree. */
export function sandboxSettings(config: AppConfig): SandboxSettings {
  const { SANDBOX_WEBHOOK_SECRET, SANDBOX_URL, PUBLIC_URL, NODE_ENV, JWT_PRIVATE_KEY } = config;
  const webhookSecret =
    SANDBOX_WEBHOOK_SECRET ?? developmentKey('sandbox', NODE_ENV, JWT_PRIVATE_KEY).toString('base64url');
  const apiKey = Buffer.from(hkdfSync('sha256', webhookSecret, '', 'sandbox api key', 32));
  return { url: SANDBOX_URL ?? PUBLIC_URL, apiKey: apiKey.toString('base64url'), webhookSecret };
}

/** `v1` of a signature: HMAC-SHA256 over the time, a point and the body. */
export function signatureOf(secret: string, timestamp: number, body: string | Buffer): Buffer {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest();
}
