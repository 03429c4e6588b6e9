import { decimalOf } from './domain/odds.js';

/** An exact price (stake included) as clients see it: decimal odds to 4 places. */
export function priceText(num: string, den: string): string {
  return decimalOf({ num: BigInt(num), den: BigInt(den) });
}
