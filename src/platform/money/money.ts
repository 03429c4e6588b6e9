/**
 * Currencies that do not have two minor digits, as ISO 4217 list one gives them. A table and not `Intl`: ICU follows
 * use, not the standard (it has no minor unit for IQD, AFN or LBP), and changes with the runtime.
 */
const MINOR_UNIT_DIGITS: ReadonlyMap<string, number> = new Map([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'
    .split(' ')
    .map((code) => [code, 0] as const),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3] as const),
  ...'CLF UYW'.split(' ').map((code) => [code, 4] as const),
]);

/** How many digits of the currency stand after the point. Throws RangeError when the code is not three capital letters. */
export function minorUnitDigits(currency: string): number {
  if (!/^[A-Z]{3}$/.test(currency)) throw new RangeError(`not an ISO 4217 code: ${JSON.stringify(currency)}`);
  return MINOR_UNIT_DIGITS.get(currency) ?? 2;
}

/**
 * Splits `total` minor units in proportion to `weights`: each part is the floor of its exact share, and the units that
 * are left go one each to the largest remainders, equal remainders to the earlier position first. The parts sum to
 * `total` exactly, and a larger weight never gets less. Throws RangeError when the total or a weight is negative, or
 * when no weight is positive.
 */
export function splitMoney(total: bigint, weights: readonly bigint[]): bigint[] {
  if (total < 0n) throw new RangeError(`cannot split a negative total, got ${total}`);
  if (weights.some((weight) => weight < 0n)) throw new RangeError('a weight must not be negative');
  const whole = weights.reduce((sum, weight) => sum + weight, 0n);
  if (whole === 0n) throw new RangeError('at least one weight must be positive');

  const parts = weights.map((weight) => (total * weight) / whole);
  const left = Number(total - parts.reduce((sum, part) => sum + part, 0n));
  const byRemainder = weights
    .map((weight, position) => ({ position, remainder: (total * weight) % whole }))
    .toSorted((a, b) =>
      a.remainder === b.remainder ? a.position - b.position : a.remainder < b.remainder ? 1 : -1,
    );
  for (const { position } of byRemainder.slice(0, left)) parts[position] = (parts[position] ?? 0n) + 1n;
  return parts;
}
