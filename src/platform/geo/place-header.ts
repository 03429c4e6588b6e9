import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Place } from './place.js';

/** What the edge says of a client's place. `edge/geo-worker` writes it; nobody else's is believed. */
export const PLACE_HEADER = 'x-parley-place';

const FORM = /^(v1;t=(\d{1,12});c=([A-Z]{2})?;r=([A-Z0-9]{1,3})?;a=([01]));s=([0-9a-f]{64})$/;

/** By what a header is judged. */
export interface HeaderTerms {
  /** The client's canonical address as this process sees it: the signature holds for no other. */
  readonly address: string;
  readonly now: Date;
  /** Any of them may have signed, so that a secret can be changed without a pause. */
  readonly secrets: readonly string[];
  readonly toleranceSeconds: number;
}

/**
 * The place that a header tells: `v1;t=<unix seconds>;c=US;r=NY;a=0;s=<hex>`, where `s` is the HMAC-SHA256 of all that
 * stands before it and `;ip=<address>`; `c` and `r` may be empty, `a=1` is a network that hides its users. Or why it is not believed.
 */
export function readPlaceHeader(text: string, terms: HeaderTerms): Place | 'forged' | 'stale' {
  const parts = FORM.exec(text);
  if (parts === null) return 'forged';
  const [, statement = '', seconds, country, region, anonymous, signature = ''] = parts;
  const given = Buffer.from(signature, 'hex');
  const signed = `${statement};ip=${terms.address}`;
  const right = terms.secrets.filter((secret) =>
    timingSafeEqual(createHmac('sha256', secret).update(signed).digest(), given),
  );
  if (right.length === 0) return 'forged';
  const age = Math.abs(terms.now.getTime() / 1000 - Number(seconds));
  if (age > terms.toleranceSeconds) return 'stale';
  return { country: country ?? null, region: region ?? null, anonymous: anonymous === '1' };
}
