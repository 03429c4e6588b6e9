import { type Place } from './place.js';
import { regionCode } from './regions.js';

const COUNTRY = /^[A-Z]{2}$/;
const REGION = /^[A-Z0-9]{1,3}$/;
/** What databases write where they know no country: nobody, somewhere in Europe, in Asia and the Pacific, and so on. */
const NO_COUNTRY = new Set(['XX', 'ZZ', 'EU', 'AP', 'UN']);
const ANONYMOUS = [
  'is_anonymous',
  'is_anonymous_proxy',
  'is_anonymous_vpn',
  'is_hosting_provider',
  'is_public_proxy',
  'is_residential_proxy',
  'is_tor_exit_node',
];
/** Degrees that are not zero and less than any that is written down: a number of the wrong width. */
const NO_DEGREES = 1e-6;

/**
 * Where a record of a database says that its address is. MaxMind's have `country.iso_code` and `subdivisions`, of which the
 * first is the largest; those of ip-location-db `country_code` and the region's name in `state1`. Where an address is
 * registered is no place: the country of `registered_country` is not taken.
 */
export function placeOfRecord(record: unknown): Place {
  const country = countryOf(record);
  const region = country === null ? null : regionOf(record, country);
  return { country, region, anonymous: hidesItself(record) };
}

/** Whether a record says of its address that who uses it may be anywhere. */
export function hidesItself(record: unknown): boolean {
  return [record, field(record, 'traits')].some((part) =>
    ANONYMOUS.some((name) => field(part, name) === true),
  );
}

/** A record that can be read but cannot be meant: coordinates that are nowhere on earth. Thrown at. */
export function requireSane(record: unknown): void {
  const location = field(record, 'location');
  for (const [name, most] of [
    ['latitude', 90],
    ['longitude', 180],
  ] as const) {
    const degrees = field(location, name);
    if (typeof degrees !== 'number' || degrees === 0) continue;
    const size = Math.abs(degrees);
    if (!(size >= NO_DEGREES && size <= most)) throw new Error(`a ${name} of ${degrees}`);
  }
}

function countryOf(record: unknown): string | null {
  const code = field(field(record, 'country'), 'iso_code') ?? field(record, 'country_code');
  return typeof code === 'string' && COUNTRY.test(code) && !NO_COUNTRY.has(code) ? code : null;
}

function regionOf(record: unknown, country: string): string | null {
  const subdivisions = field(record, 'subdivisions');
  const first: unknown = Array.isArray(subdivisions) ? subdivisions[0] : undefined;
  const region = field(first, 'iso_code') ?? field(record, 'state1');
  if (typeof region !== 'string') return null;
  return REGION.test(region) ? region : regionCode(country, region);
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
