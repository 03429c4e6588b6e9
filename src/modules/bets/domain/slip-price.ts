import type { Price } from '../../sports/domain/odds.js';

/** The exact price of a slip: the product of its legs'. */
export function slipPrice(prices: readonly Price[]): Price {
  return prices.reduce((slip, leg) => ({ num: slip.num * leg.num, den: slip.den * leg.den }), {
    num: 1n,
    den: 1n,
  });
}

/**
 * The smallest whole stake that wins at least so much beside itself: `⌊s·n/d⌋ − s ≥ w` exactly when `s·(n − d) ≥ w·d`. Throws
 * RangeError when the price is not above 1.
 */
export function stakeToWin(profit: bigint, { num, den }: Price): bigint {
  if (num <= den) throw new RangeError(`a price of ${num}/${den} wins nothing`);
  return (profit * den + (num - den) - 1n) / (num - den);
}

/** The stakes that are possible, most first; null: nothing limits them there. Never below 0. */
export function largestStake(...limits: readonly (number | null)[]): number {
  return Math.max(0, Math.min(...limits.filter((limit) => limit !== null)));
}
