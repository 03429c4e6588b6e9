import { minorUnitDigits } from '../../../../platform/money/money.js';
import type { Money } from '../../provider.js';

/** An amount in the currency's major unit with all of its digits: 500 UGX is `500`, 500 minor units of GHS are `5.00`. */
export function toDecimal({ amount, currency }: Money): string {
  const digits = minorUnitDigits(currency);
  const text = amount.toString().padStart(digits + 1, '0');
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/**
 * The minor units of an amount in the major unit, however many zeros it is written with (`500`, `500.0`, 5e2 as a number).
 * Throws RangeError for what is no amount of the currency: a fraction of its smallest unit, a sign, grouped digits.
 */
export function fromDecimal(value: unknown, currency: string): bigint {
  const text = typeof value === 'number' ? String(value) : value;
  const parts = typeof text === 'string' ? /^(\d{1,18})(?:\.(\d{1,18}))?$/.exec(text) : null;
  const digits = minorUnitDigits(currency);
  const fraction = (parts?.[2] ?? '').replace(/0+$/, '');
  if (!parts || fraction.length > digits) throw new RangeError(`not an amount of ${currency}`);
  return BigInt(`${parts[1]}${fraction.padEnd(digits, '0')}`);
}
