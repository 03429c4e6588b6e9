/**
 * An exact non-negative rational. Prices, factors and shares are computed on it, so that floating point touches
 * neither money nor credits. `den` is always positive; values made by this file are in lowest terms.
 */
export interface Fraction {
  readonly num: bigint;
  readonly den: bigint;
}

/** Makes a fraction in lowest terms. Throws RangeError when it would be negative or its denominator is not positive. */
export function fraction(num: bigint, den: bigint = 1n): Fraction {
  return reduce({ num, den });
}

/** The same value in lowest terms (zero is 0/1). Throws RangeError as `fraction` does. */
export function reduce({ num, den }: Fraction): Fraction {
  assertFraction({ num, den });
  const divisor = greatestCommonDivisor(num, den);
  return { num: num / divisor, den: den / divisor };
}

/** The exact product, in lowest terms; of no factors it is 1. */
export function multiply(...factors: readonly Fraction[]): Fraction {
  return factors.reduce<Fraction>(
    (product, f) => reduce({ num: product.num * f.num, den: product.den * f.den }),
    {
      num: 1n,
      den: 1n,
    },
  );
}

/** Negative when a < b, zero when they are equal, positive when a > b. */
export function compare(a: Fraction, b: Fraction): -1 | 0 | 1 {
  assertFraction(a);
  assertFraction(b);
  const left = a.num * b.den;
  const right = b.num * a.den;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** `⌊amount × f⌋` for a non-negative amount: what is left over after the last whole unit is dropped. */
export function floorTimes(f: Fraction, amount: bigint): bigint {
  assertFraction(f);
  if (amount < 0n) throw new RangeError(`amount must not be negative, got ${amount}`);
  return (amount * f.num) / f.den;
}

function assertFraction({ num, den }: Fraction): void {
  if (num < 0n) throw new RangeError(`a fraction must not be negative, got ${num}/${den}`);
  if (den <= 0n) throw new RangeError(`a denominator must be positive, got ${num}/${den}`);
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}
