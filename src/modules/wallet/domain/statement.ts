import { minorUnitDigits } from '../../../platform/money/money.js';

/** An amount as people write it, with the point where its currency has it: -1050 USD is `-10.50`, 1050 XAF `1050`. */
export function decimalText(amount: bigint, currency: string): string {
  const digits = minorUnitDigits(currency);
  if (digits === 0) return amount.toString();
  const sign = amount < 0n ? '-' : '';
  const text = (amount < 0n ? -amount : amount).toString().padStart(digits + 1, '0');
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

const NUMBER = /^-?\d+(\.\d+)?$/;
/** What makes a spreadsheet read a cell as a formula, also behind what it drops at the beginning. */
const FORMULA = /^[=+\-@\t\r\n]/;
const NEEDS_QUOTES = /[",\r\n]/;

/**
 * One record of RFC 4180, its line end included. What a spreadsheet would take for a formula gets an apostrophe in front,
 * by which it is shown as text; a number stays one.
 */
export function csvRecord(cells: readonly string[]): string {
  return `${cells.map(cellText).join(',')}\r\n`;
}

function cellText(cell: string): string {
  const text = FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
