import type { JWTPayload } from 'jose';
import type { ProviderIdentity, ProviderName } from './oauth.types.js';

const MAX_NAME = 60;
const MAX_EMAIL = 254;
const RELAY_DOMAIN = '@privaterelay.appleid.com';

/** Whom the claims of a verified ID token speak of. Apple writes truths as text in places. */
export function identityOf(provider: ProviderName, claims: JWTPayload & { sub: string }): ProviderIdentity {
  const email = emailOf(claims['email']);
  return {
    provider,
    subject: claims.sub,
    email,
    emailVerified: email !== null && isTrue(claims['email_verified']),
    privateRelay:
      email !== null && (isTrue(claims['is_private_email']) || email.toLowerCase().endsWith(RELAY_DOMAIN)),
    name: displayNameOf(claims['name']),
  };
}

/**
 * The name in the form that Apple sends once with its first answer, and never again:
 * `{"name":{"firstName":…,"lastName":…},"email":…}`. It is not signed, so that nothing but the name is taken from it.
 */
export function appleNameOf(user: string | null): string | null {
  if (user === null) return null;
  try {
    const { firstName, lastName } = (JSON.parse(user) as { name?: Record<string, unknown> }).name ?? {};
    const parts = [firstName, lastName].filter((part) => typeof part === 'string');
    return displayNameOf(parts.join(' '));
  } catch {
    return null;
  }
}

/** A name as it may be shown here, or null. */
export function displayNameOf(name: unknown): string | null {
  if (typeof name !== 'string' || !isStorable(name)) return null;
  const whole = Array.from(name.trim()).slice(0, MAX_NAME).join('').trim();
  return whole === '' ? null : whole;
}

/** What could not be kept as an address counts as none. */
function emailOf(email: unknown): string | null {
  if (typeof email !== 'string' || email.length > MAX_EMAIL || !isStorable(email)) return null;
  return /^[^\s@]+@[^\s@]+$/.test(email) ? email : null;
}

/** Postgres keeps neither NUL nor half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}
