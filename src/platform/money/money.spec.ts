import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { minorUnitDigits, splitMoney } from './money.js';

describe('minor units', () => {
  it.each([
    ['XAF', 0],
    ['UGX', 0],
    ['JPY', 0],
    ['XOF', 0],
    ['USD', 2],
    ['EUR', 2],
    ['NGN', 2],
    ['GHS', 2],
    ['AFN', 2],
    ['KWD', 3],
    ['TND', 3],
    ['IQD', 3],
    ['CLF', 4],
  ])('%s has %i digits', (currency, digits) => {
    expect(minorUnitDigits(currency)).toBe(digits);
  });

  it.each(['usd', 'US', 'USDT', '', ' USD'])('refuses %j for a currency', (code) => {
    expect(() => minorUnitDigits(code)).toThrow(RangeError);
  });

  it('agrees with the runtime on the currencies whose use and standard are the same', () => {
    for (const currency of [
      'USD',
      'EUR',
      'GBP',
      'JPY',
      'XAF',
      'XOF',
      'UGX',
      'RWF',
      'KES',
      'KWD',
      'BHD',
      'TND',
    ]) {
      const { maximumFractionDigits } = new Intl.NumberFormat('en', {
        style: 'currency',
        currency,
      }).resolvedOptions();
      expect([currency, minorUnitDigits(currency)]).toEqual([currency, maximumFractionDigits]);
    }
  });
});

describe('splitting money', () => {
  it.each([
    [100n, [50n, 30n, 20n], [50n, 30n, 20n]],
    [101n, [50n, 30n, 20n], [51n, 30n, 20n]],
    [102n, [50n, 30n, 20n], [51n, 31n, 20n]],
    [100n, [1n, 1n, 1n], [34n, 33n, 33n]],
    [1n, [50n, 30n, 20n], [1n, 0n, 0n]],
    [1n, [0n, 1n], [0n, 1n]],
    [0n, [5n, 5n], [0n, 0n]],
  ])('%s by %s is %s', (total, weights, parts) => {
    expect(splitMoney(total, weights)).toEqual(parts);
  });

  it.each([
    [-1n, [1n]],
    [1n, []],
    [1n, [0n, 0n]],
    [1n, [2n, -1n]],
  ])('refuses %s by %s', (total, weights) => {
    expect(() => splitMoney(total, weights)).toThrow(RangeError);
  });

  it('never makes or loses a unit, is within one of the exact share, and gives no less for more', () => {
    const weights = fc
      .array(fc.bigInt({ min: 0n, max: 10n ** 9n }), { minLength: 1, maxLength: 20 })
      .filter((all) => all.some((weight) => weight > 0n));
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), weights, (total, shares) => {
        const parts = splitMoney(total, shares);
        const whole = shares.reduce((sum, weight) => sum + weight, 0n);
        expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(total);
        parts.forEach((part, i) => {
          const exact = total * (shares[i] ?? 0n);
          expect(part * whole > exact - whole && part * whole < exact + whole).toBe(true);
          parts.forEach((other, j) => {
            const fair = (shares[i] ?? 0n) <= (shares[j] ?? 0n) || part >= other;
            expect(fair).toBe(true);
          });
        });
      }),
    );
  });
});
