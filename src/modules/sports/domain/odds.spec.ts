import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { multiply } from '../../../platform/money/fraction.js';
import {
  americanOf,
  decimalOf,
  isAmerican,
  payoutOf,
  pays,
  priceFromAmerican,
  priceFromDecimal,
} from './odds.js';

const anyAmerican = fc
  .tuple(fc.integer({ min: 100, max: 1_000_000 }), fc.boolean())
  .map(([size, plus]) => (plus ? size : -size));

describe('American odds', () => {
  it.each([
    [100, true],
    [-100, true],
    [120, true],
    [-100_000, true],
    [99, false],
    [-99, false],
    [0, false],
    [110.5, false],
    [Number.NaN, false],
    [Number.POSITIVE_INFINITY, false],
    ['120', false],
    [null, false],
  ])('%j is %j', (odds, expected) => {
    expect(isAmerican(odds)).toBe(expected);
  });

  it.each([
    [120, 11n, 5n],
    [-140, 12n, 7n],
    [100, 2n, 1n],
    [-100, 2n, 1n],
    [-110, 21n, 11n],
    [2500, 26n, 1n],
  ])('%i returns %s/%s of the stake', (odds, num, den) => {
    expect(priceFromAmerican(odds)).toEqual({ num, den });
  });

  it.each([50, -99, 0, 150.5, Number.NaN])('%j has no price', (odds) => {
    expect(() => priceFromAmerican(odds)).toThrow(RangeError);
  });

  it.each([
    [50n, 120, 110n],
    [50n, -140, 85n],
    [100n, -110, 190n],
    [1n, -110, 1n],
    [1n, 100, 2n],
    [333n, 145, 815n],
  ])('%s at %i pays %s', (stake, odds, payout) => {
    expect(payoutOf(stake, priceFromAmerican(odds))).toBe(payout);
  });

  it('refuses a stake that is not positive', () => {
    expect(() => payoutOf(0n, priceFromAmerican(120))).toThrow(RangeError);
    expect(() => payoutOf(-5n, priceFromAmerican(120))).toThrow(RangeError);
  });

  it('pay as the rule is written: the stake and the floor of the profit', () => {
    fc.assert(
      fc.property(anyAmerican, fc.bigInt({ min: 1n, max: 10n ** 12n }), (odds, stake) => {
        const size = BigInt(Math.abs(odds));
        const profit = odds > 0 ? (stake * size) / 100n : (stake * 100n) / size;
        expect(payoutOf(stake, priceFromAmerican(odds))).toBe(stake + profit);
      }),
    );
  });

  it('are shown again as they were taken (−100 as +100)', () => {
    fc.assert(
      fc.property(anyAmerican, (odds) => {
        expect(americanOf(priceFromAmerican(odds))).toBe(odds === -100 ? 100 : odds);
      }),
    );
  });

  it('cannot show a price that wins nothing', () => {
    expect(() => americanOf({ num: 1n, den: 1n })).toThrow(RangeError);
  });

  it('compare by what they pay, across the sign', () => {
    expect(pays(priceFromAmerican(120), priceFromAmerican(-120))).toBe(1);
    expect(pays(priceFromAmerican(-140), priceFromAmerican(-130))).toBe(-1);
    expect(pays(priceFromAmerican(100), priceFromAmerican(-100))).toBe(0);
    expect(pays(priceFromAmerican(150), priceFromDecimal('2.50'))).toBe(0);
  });
});

describe('decimal prices', () => {
  it.each([
    ['2.06', 103n, 50n],
    ['2.060', 103n, 50n],
    ['1.000001', 1000001n, 1000000n],
    ['4', 4n, 1n],
    ['1.333333', 1333333n, 1000000n],
    ['100000', 100000n, 1n],
  ])('%s is kept exactly', (decimal, num, den) => {
    expect(priceFromDecimal(decimal)).toEqual({ num, den });
  });

  it.each([
    '1',
    '1.0',
    '0.98',
    '0',
    '-2',
    '+2',
    '',
    ' 2',
    '2.',
    '.5',
    '2,5',
    '1e3',
    '2.0000001',
    '100000.000001',
    '1000000',
    '999999999',
    '0x2',
    'NaN',
    '٢',
  ])('refuses %j', (decimal) => {
    expect(() => priceFromDecimal(decimal)).toThrow(RangeError);
  });

  it.each([
    [120, 4, '2.2000'],
    [-140, 4, '1.7143'],
    [-110, 4, '1.9091'],
    [-110, 2, '1.91'],
    [-200, 0, '2'],
    [100_000, 4, '1001.0000'],
  ])('%i to %i places is shown as %s', (odds, places, shown) => {
    expect(decimalOf(priceFromAmerican(odds), places)).toBe(shown);
  });

  it('are shown to four places unless told', () => {
    expect(decimalOf(priceFromDecimal('2.00005'))).toBe('2.0001');
  });

  it('multiply exactly into a parlay: 100 at 2.060 × 4.550 pays 937', () => {
    expect(payoutOf(100n, multiply(priceFromDecimal('2.060'), priceFromDecimal('4.550')))).toBe(937n);
  });

  it('are shown again as they were given, at six places', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000_001, max: 999_999_999 }), (millionths) => {
        const decimal = `${Math.floor(millionths / 1e6)}.${String(millionths % 1e6).padStart(6, '0')}`;
        expect(decimalOf(priceFromDecimal(decimal), 6)).toBe(decimal);
      }),
    );
  });
});

/** Published expectations of other odds libraries, where they lie beside the repository. */
const published = new URL('../../../../../shared/data/settlement/odds_conversion_cases.csv', import.meta.url);

interface ConversionCase {
  id: string;
  source: string;
  from_format: string;
  value: string;
  to_format: string;
  expected: string;
  note: string;
}

const FORMATS = ['decimal', 'american', 'moneyline'];

function readCases(): ConversionCase[] {
  const rows: Omit<ConversionCase, 'id'>[] = parse(readFileSync(published), { columns: true });
  return rows.map((row, i) => ({
    ...row,
    id: `row-${i + 2}`,
    from_format: formatOf(row.from_format, row.value),
  }));
}

function formatOf(format: string, value: string): string {
  if (format !== 'auto') return format;
  if (value.includes('/')) return 'fractional';
  return /^[+-]/.test(value) ? 'american' : 'decimal';
}

function reasonToLeaveOut({ from_format, to_format, value, expected, note }: ConversionCase): string | null {
  if (!FORMATS.includes(from_format)) return `${from_format} prices are not taken`;
  if (expected === 'REJECT') return null;
  if (!FORMATS.includes(to_format)) return `${to_format} prices are not shown`;
  if (note.startsWith('DEGENERATE')) return 'a quirk of that library, marked as one not to copy';
  if (from_format !== 'decimal' && !isAmerican(Number(value)))
    return 'American odds here are integers of 100 at least';
  return null;
}

function priceOf({ from_format, value }: ConversionCase) {
  return from_format === 'decimal' ? priceFromDecimal(value) : priceFromAmerican(Number(value));
}

describe('published conversions', () => {
  if (!existsSync(published)) {
    it('are read only where they lie beside the repository', () => {
      expect(existsSync(published)).toBe(false);
    });
    return;
  }
  const cases = readCases();
  const applicable = cases.filter((each) => reasonToLeaveOut(each) === null);
  const leftOut = new Map<string, string[]>();
  for (const each of cases) {
    const reason = reasonToLeaveOut(each);
    if (reason !== null) leftOut.set(reason, [...(leftOut.get(reason) ?? []), each.id]);
  }

  const named = (rows: ConversionCase[]) =>
    rows.map((each) => [`${each.id} ${each.source}: ${each.from_format} ${each.value}`, each] as const);

  it.each(named(applicable.filter(({ expected }) => expected === 'REJECT')))('%s is refused', (_, each) => {
    expect(() => priceOf(each)).toThrow(RangeError);
  });

  it.each(named(applicable.filter(({ expected }) => expected !== 'REJECT')))('%s', (_, each) => {
    const places = /\.(\d+)$/.exec(each.expected)?.[1]?.length ?? 0;
    const price = priceOf(each);
    const shown = each.to_format === 'decimal' ? decimalOf(price, places) : String(americanOf(price));
    expect(shown).toBe(each.expected.replace('+', ''));
  });

  it.each([...leftOut].map(([reason, ids]) => [ids.length, reason, ids.join(' ')] as const))(
    'leaves out %i: %s (%s)',
    (count) => {
      expect(count).toBeGreaterThan(0);
    },
  );

  it(`uses ${applicable.length} of ${cases.length}`, () => {
    expect(applicable.length + [...leftOut.values()].flat().length).toBe(cases.length);
    expect(applicable.length).toBeGreaterThan(0);
  });
});
