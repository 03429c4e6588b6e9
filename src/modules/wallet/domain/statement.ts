import { minorUnitDigits } from '../../../platform/money/money.js';

/** An amount as people write it, with the point where its currency has it: -1050 USD is `-10.50`, 1050 XAF `1050`. */
export function decimalText(amount: bigint, currency: string): string {
  const digits = minorUnitDigits(currency);
  if (digits === 0) return amount.toString();
  const sign = amount < 0n ? '-' : '';
  const text = (amount < 0n ? -amount : amount).toString().padStart(digits + 1, '0');
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
