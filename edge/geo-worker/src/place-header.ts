import type { Place } from './place.js';

export const PLACE_HEADER = 'X-Parley-Place';

const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * `v1;t=<unix seconds>;c=US;r=NY;a=0;s=<hex>`: `s` is the HMAC-SHA256 of all that stands before it and of the client's address, so
 * that the header is worth nothing to another. The API reads it in `src/platform/geo/place-header.ts`.
 */
export async function placeHeader(place: Place, address: string, now: Date, secret: string): Promise<string> {
  const { country, region, anonymous } = place;
  const seconds = Math.floor(now.getTime() / 1000);
  const statement = `v1;t=${seconds};c=${country ?? ''};r=${region ?? ''};a=${anonymous ? 1 : 0}`;
  const bytes = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', bytes.encode(secret), algorithm, false, ['sign']);
  const signed = `${statement};ip=${canonical(address)}`;
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes.encode(signed)));
  return `${statement};s=${[...signature].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** One text an address, as the API writes it: IPv6 in its shortest form, IPv4 within IPv6 as IPv4. */
function canonical(address: string): string {
  if (!address.includes(':')) return address;
  const short = URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) ?? '';
  const [, high, low] = MAPPED.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  return [high, low]
    .map((half) => Number.parseInt(half, 16))
    .flatMap((half) => [half >> 8, half & 0xff])
    .join('.');
}
