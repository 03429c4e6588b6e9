import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { payoutOf, priceFromAmerican, priceFromDecimal } from '../../sports/domain/odds.js';
import { largestStake, slipPrice, stakeToWin } from './slip-price.js';

const americans = fc.integer({ min: 100, max: 20_000 }).chain((size) => fc.constantFrom(size, -size));
const decimals = fc
  .integer({ min: 1_000_001, max: 90_000_000 })
  .map((micros) => priceFromDecimal((micros / 1_000_000).toFixed(6)));
const prices = fc.oneof(americans.map(priceFromAmerican), decimals);

describe('the price of a slip', () => {
  it.each([
    { legs: ['2.060', '4.550'], stake: 100n, payout: 937n },
    { legs: ['1.909091'], stake: 50n, payout: 95n },
    { legs: ['2', '2', '2'], stake: 7n, payout: 56n },
  ])('is the product of its legs: $legs, $stake', ({ legs, stake, payout }) => {
    expect(payoutOf(stake, slipPrice(legs.map(priceFromDecimal)))).toBe(payout);
  });

  it('does not lose a digit in twelve legs', () => {
    fc.assert(
      fc.property(fc.array(prices, { minLength: 2, maxLength: 12 }), (legs) => {
        const { num, den } = slipPrice(legs);
        expect(num).toBe(legs.map((leg) => leg.num).reduce((a, b) => a * b));
        expect(den).toBe(legs.map((leg) => leg.den).reduce((a, b) => a * b));
      }),
    );
  });
});

describe('the stake that wins so much', () => {
  it.each([
    { price: -110, profit: 100n, stake: 110n },
    { price: -110, profit: 1n, stake: 2n },
    { price: 120, profit: 60n, stake: 50n },
    { price: 120, profit: 61n, stake: 51n },
    { price: 100, profit: 7n, stake: 7n },
  ])('$profit at $price is $stake', ({ price, profit, stake }) => {
    expect(stakeToWin(profit, priceFromAmerican(price))).toBe(stake);
  });

  it('is the smallest that wins it', () => {
    fc.assert(
      fc.property(prices, fc.bigInt({ min: 1n, max: 1_000_000_000n }), (price, profit) => {
        const stake = stakeToWin(profit, price);
        expect(stake).toBeGreaterThan(0n);
        expect(payoutOf(stake, price) - stake).toBeGreaterThanOrEqual(profit);
        const less = stake === 1n ? 0n : payoutOf(stake - 1n, price) - (stake - 1n);
        expect(less).toBeLessThan(profit);
      }),
      { numRuns: 1000 },
    );
  });

  it('is none at a price that wins nothing', () => {
    expect(() => stakeToWin(1n, { num: 1n, den: 1n })).toThrow(RangeError);
  });
});

describe('the largest stake', () => {
  it.each([
    { limits: [1000, null, 40], largest: 40 },
    { limits: [1000, -5], largest: 0 },
    { limits: [7, null], largest: 7 },
  ])('of $limits is $largest', ({ limits, largest }) => {
    expect(largestStake(...limits)).toBe(largest);
  });
});
