import type { Settings } from './settings.js';

/** What Cloudflare knows of where a request comes from. */
export interface Location {
  readonly country?: string | undefined;
  readonly regionCode?: string | undefined;
  /** `'1'`, or absent. */
  readonly isEUCountry?: string | undefined;
  readonly asn?: number | undefined;
}

export interface Place {
  readonly country: string | null;
  readonly region: string | null;
  /** Tor, or a network from which people do not come by themselves. */
  readonly anonymous: boolean;
}

/** Why nobody is served at a place. */
export type Reason = 'anonymous' | 'restricted' | 'unknown';

const COUNTRY = /^[A-Z]{2}$/;
const REGION = /^[A-Z0-9]{1,3}$/;
/** Cloudflare's words for a country that it does not know, and for Tor. */
const UNKNOWN = 'XX';
const TOR = 'T1';

export function placeOf({ country = UNKNOWN, regionCode = '', asn }: Location, settings: Settings): Place {
  const known = COUNTRY.test(country) && country !== UNKNOWN;
  return {
    country: known ? country : null,
    region: known && REGION.test(regionCode) ? regionCode : null,
    anonymous: country === TOR || (asn !== undefined && settings.anonymousNetworks.has(asn)),
  };
}

/** Why nobody is served there, or null. */
export function refusalOf(place: Place, location: Location, settings: Settings): Reason | null {
  const { country, region, anonymous } = place;
  const { restricted, divided, passesAnonymous, passesUnknown } = settings;
  if (anonymous && !passesAnonymous) return 'anonymous';
  if (country === null) return passesUnknown ? null : 'unknown';
  const inUnion = location.isEUCountry === '1' && restricted.has('EU');
  if (inUnion || restricted.has(country) || restricted.has(`${country}-${region}`)) return 'restricted';
  return region === null && divided.has(country) && !passesUnknown ? 'unknown' : null;
}
