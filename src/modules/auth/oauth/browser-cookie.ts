import type { Response } from 'express';
import type { ProviderName } from './oauth.types.js';

const SECRET = /^[A-Za-z0-9_-]{43}$/;

/** Where a browser goes next, and what it is to remember. */
export interface Departure {
  location: string;
  /** A whole Set-Cookie header. */
  cookie?: string;
}

/**
 * The cookie that binds a browser to what it began. With https no other host can set it (`__Host-`). Apple posts its
 * answer from its own site, and only a cookie with SameSite=None comes along with that; Google's arrives by a link.
 */
export function browserCookie(
  provider: ProviderName,
  publicUrl: string,
): { name: string; of: (secret: string, seconds: number) => string } {
  const isHttps = publicUrl.startsWith('https:');
  const name = `${isHttps ? '__Host-' : ''}parley-oauth-${provider}`;
  const policy = provider === 'apple' ? 'SameSite=None; Secure' : `SameSite=Lax${isHttps ? '; Secure' : ''}`;
  const of = (secret: string, seconds: number) =>
    `${name}=${secret}; Path=/; Max-Age=${seconds}; HttpOnly; ${policy}`;
  return { name, of };
}

/** The secret in a Cookie header, or null when there is none, or more than one: somebody else may have set the other. */
export function secretIn(header: string | undefined, name: string): string | null {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [value = ''] = values;
  return values.length === 1 && SECRET.test(value) ? value : null;
}

/** Sends the browser on. Nothing of it may be kept: the address holds secrets. */
export function depart(
  response: Response,
  { location, cookie }: Departure,
  statusCode: 302 | 303,
): { url: string; statusCode: number } {
  response.setHeader('Cache-Control', 'no-store');
  if (cookie !== undefined) response.setHeader('Set-Cookie', cookie);
  return { url: location, statusCode };
}
