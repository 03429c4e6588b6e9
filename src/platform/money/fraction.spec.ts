import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compare, floorTimes, fraction, multiply, reduce } from './fraction.js';

const anyFraction = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.bigInt({ min: 1n, max: 10n ** 18n }))
  .map(([num, den]) => fraction(num, den));

describe('fraction', () => {
  it.each([
    [220n, 100n, 11n, 5n],
    [240n, 140n, 12n, 7n],
    [0n, 9n, 0n, 1n],
    [7n, 7n, 1n, 1n],
    [3n, 2n, 3n, 2n],
  ])('reduces %s/%s to %s/%s', (num, den, reducedNum, reducedDen) => {
    expect(reduce({ num, den })).toEqual({ num: reducedNum, den: reducedDen });
  });

  it.each([
    [-1n, 2n],
    [1n, 0n],
    [1n, -2n],
  ])('refuses %s/%s', (num, den) => {
    expect(() => fraction(num, den)).toThrow(RangeError);
  });

  it('multiplies exactly: 2.060 × 4.550 is 9.373', () => {
    expect(multiply(fraction(2060n, 1000n), fraction(4550n, 1000n))).toEqual(fraction(9373n, 1000n));
  });

  it('takes the product of nothing for 1', () => {
    expect(multiply()).toEqual({ num: 1n, den: 1n });
  });

  it('refuses to take a share of a negative amount', () => {
    expect(() => floorTimes(fraction(1n, 2n), -1n)).toThrow(RangeError);
  });

  it('orders as the cross products do, antisymmetrically', () => {
    fc.assert(
      fc.property(anyFraction, anyFraction, (a, b) => {
        expect(compare(a, b)).toBe(
          Number(a.num * b.den > b.num * a.den) - Number(a.num * b.den < b.num * a.den),
        );
        expect(compare(a, b) + compare(b, a)).toBe(0);
        expect(compare(a, a)).toBe(0);
      }),
    );
  });

  it('multiplies associatively, whatever the order', () => {
    fc.assert(
      fc.property(anyFraction, anyFraction, anyFraction, (a, b, c) => {
        expect(multiply(a, multiply(b, c))).toEqual(multiply(c, a, b));
      }),
    );
  });

  it('floors to the greatest whole number that is not above the product', () => {
    fc.assert(
      fc.property(anyFraction, fc.bigInt({ min: 0n, max: 10n ** 12n }), (f, amount) => {
        const floored = floorTimes(f, amount);
        expect(floored * f.den <= amount * f.num).toBe(true);
        expect((floored + 1n) * f.den > amount * f.num).toBe(true);
      }),
    );
  });
});
