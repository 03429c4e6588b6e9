import { compare, floorTimes, fraction, type Fraction } from '../../../platform/money/fraction.js';

/**
 * What one unit staked returns, the stake included, as an exact fraction: +120 is 11/5, −140 is 12/7. Payouts are
 * computed from it and never from a rounded decimal (rules, "Odds").
 */
export type Price = Fraction;

/** The greatest of either kind: what is said to pay more is a mistake, and no table has room for all of it. */
const MAX_DECIMAL = 100_000n;
const MAX_AMERICAN = 10_000_000;

/** American odds are integers at least 100 away from zero. */
export function isAmerican(odds: unknown): odds is number {
  const size = Math.abs(odds as number);
  return Number.isSafeInteger(odds) && size >= 100 && size <= MAX_AMERICAN;
}

/** The exact price of American odds. Throws RangeError when they are not. */
export function priceFromAmerican(odds: number): Price {
  if (!isAmerican(odds)) throw new RangeError(`not American odds: ${String(odds)}`);
  const size = BigInt(Math.abs(odds));
  return odds > 0 ? fraction(100n + size, 100n) : fraction(size + 100n, size);
}

/**
 * The price of a decimal string as a feed gave it, kept to its last digit: above 1 and at most
 * 100,000, plain notation, at most 6 digits after the point. Throws RangeError on anything else.
 */
export function priceFromDecimal(decimal: string): Price {
  const digits = /^(\d{1,6})(?:\.(\d{1,6}))?$/.exec(decimal);
  if (digits === null) throw new RangeError(`not a decimal price: ${JSON.stringify(decimal)}`);
  const [, whole = '', places = ''] = digits;
  const price = fraction(BigInt(whole + places), 10n ** BigInt(places.length));
  if (price.num <= price.den) throw new RangeError(`a decimal price must be above 1: ${decimal}`);
  if (price.num > MAX_DECIMAL * price.den) throw new RangeError(`nobody pays a decimal price of ${decimal}`);
  return price;
}

/** The price to a fixed number of places, rounded half up: 7/4 → `1.7500`. For display only, never for a payout. */
export function decimalOf(price: Price, places = 4): string {
  const scale = 10n ** BigInt(places);
  const digits = roundedQuotient(price.num * scale, price.den)
    .toString()
    .padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** The nearest American odds (even money is +100). For display only. Throws RangeError when the price is not above 1. */
export function americanOf(price: Price): number {
  const profit = price.num - price.den;
  if (profit <= 0n) throw new RangeError(`a price of ${price.num}/${price.den} has no American odds`);
  return profit >= price.den
    ? Number(roundedQuotient(profit * 100n, price.den))
    : -Number(roundedQuotient(price.den * 100n, profit));
}

/** `⌊stake × price⌋` in the stake's own units, stake included. Throws RangeError when the stake is not positive. */
export function payoutOf(stake: bigint, price: Price): bigint {
  if (stake <= 0n) throw new RangeError(`a stake must be positive, got ${stake}`);
  return floorTimes(price, stake);
}

/** Compares what two prices pay: positive when `a` pays more, zero when the same, negative when less. */
export function pays(a: Price, b: Price): -1 | 0 | 1 {
  return compare(a, b);
}

function roundedQuotient(num: bigint, den: bigint): bigint {
  return (2n * num + den) / (2n * den);
}
