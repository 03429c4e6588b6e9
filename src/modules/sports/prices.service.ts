import { americanOf, decimalOf } from './domain/odds.js';

/** An exact price (stake included) as clients see it: decimal odds to 4 places. */
export function priceText(num: string, den: string): string {
  return decimalOf({ num: BigInt(num), den: BigInt(den) });
}

/** The nearest American odds of a price above 1, for display; null where they are beyond what a number holds exactly. */
export function nearestAmerican(num: bigint, den: bigint): number | null {
  const american = americanOf({ num, den });
  return Number.isSafeInteger(american) ? american : null;
}
