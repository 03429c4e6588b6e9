import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { judgeOverround, pickQuote, type PickRules, type Quote } from './pick-price.js';

const RULES: PickRules = { bookmakers: ['sharp', 'large'], overroundMin: 0, overroundMax: 0.4 };

function quote(bookmaker: string, quarters: number | null, ...decimals: string[]): Quote {
  const outcomes = decimals.length === 3 ? ['home', 'draw', 'away'] : ['home', 'away'];
  return {
    bookmaker,
    quarters,
    prices: outcomes.map((outcome, index) => ({ outcome, decimal: decimals[index] ?? '' })),
  };
}

describe('judgeOverround', () => {
  it.each([
    ['inside', ['1.91', '1.91']],
    ['inside', ['2', '2']], // 0 exactly
    ['inside', ['1.1', '11']], // 0 exactly, and not in floating point
    ['low', ['2.000001', '2']],
    ['inside', ['1.4286', '1.4286']],
    ['high', ['1.4285', '1.4285']],
    ['high', ['1.01', '1.01']], // what an exchange shows while nobody has offered anything
    ['inside', ['2.5', '3.4', '3.0']],
    ['low', ['3.01', '3', '3']],
    ['low', ['3.5', '3.5', '3.5']],
  ] as const)('is %s for %j', (verdict, decimals) => {
    expect(judgeOverround(quote('any', null, ...decimals), RULES)).toBe(verdict);
  });
});

describe('pickQuote', () => {
  const picked = (quotes: Quote[], rules = RULES) => {
    const found = pickQuote(quotes, rules);
    return found && [found.bookmaker, found.quarters];
  };

  it('takes the first preferred bookmaker, wherever it stands', () => {
    const quotes = [
      quote('other', null, '1.9', '1.9'),
      quote('large', null, '1.8', '2'),
      quote('sharp', null, '1.7', '2.1'),
    ];
    expect(picked(quotes)).toEqual(['sharp', null]);
  });

  it('passes a preferred bookmaker over whose overround is outside the bounds', () => {
    const quotes = [
      quote('sharp', null, '1.01', '1.02'),
      quote('large', null, '1.8', '2'),
      quote('x', null, '1.9', '1.9'),
    ];
    expect(picked(quotes)).toEqual(['large', null]);
  });

  it('takes the median bookmaker without one that is preferred, the lower of two', () => {
    const quotes = [
      quote('d', null, '1.5', '2.6'),
      quote('a', null, '2.6', '1.5'),
      quote('c', null, '1.8', '2'),
      quote('b', null, '2', '1.8'),
    ];
    // By the first outcome's probability: a, b, c, d.
    expect(picked(quotes)).toEqual(['b', null]);
    expect(picked(quotes.slice(0, 3))).toEqual(['c', null]);
  });

  it('decides between equal probabilities by overround and then by key', () => {
    const same = [
      quote('b', null, '1.8', '1.8'),
      quote('a', null, '1.8', '1.8'),
      quote('z', null, '1.9', '1.9'),
    ];
    expect(picked(same)).toEqual(['a', null]); // z (the least overround), a, b
  });

  it('keeps to the line that most bookmakers have, whoever has another', () => {
    const quotes = [
      quote('sharp', -12, '1.9', '1.9'),
      quote('x', -14, '1.9', '1.9'),
      quote('y', -14, '2', '1.8'),
    ];
    expect(picked(quotes)).toEqual(['y', -14]);
  });

  it('does not count a bookmaker whose overround is outside the bounds', () => {
    const quotes = [
      quote('x', 8, '1.01', '1.01'),
      quote('y', 8, '1.02', '1.01'),
      quote('z', 10, '1.9', '1.9'),
    ];
    expect(picked(quotes)).toEqual(['z', 10]);
  });

  it.each([
    ['closest to even', [quote('x', -12, '1.5', '2.6'), quote('y', -14, '1.95', '1.9')], -14],
    ['closest to 0, both as even', [quote('x', 14, '1.9', '1.9'), quote('y', -12, '1.9', '1.9')], -12],
    ['the lower one, both as far from 0', [quote('x', 2, '1.9', '1.9'), quote('y', -2, '1.9', '1.9')], -2],
  ])('of lines that equally many have takes the one %s', (_, quotes, quarters) => {
    expect(picked(quotes)?.[1]).toBe(quarters);
    expect(picked(quotes.toReversed())?.[1]).toBe(quarters);
  });

  it('stays on the line that is offered while no other has more bookmakers', () => {
    const on = (current: number | null, ...lines: number[]) =>
      pickQuote(
        lines.map((line, index) =>
          quote(`b${index}`, line, line === -14 ? '1.95' : '1.5', line === -14 ? '1.9' : '2.6'),
        ),
        RULES,
        current,
      )?.quarters;
    expect(on(null, -12, -14)).toBe(-14);
    expect(on(-12, -12, -14)).toBe(-12);
    expect(on(-14, -12, -14)).toBe(-14);
    expect(on(-12, -12, -14, -14)).toBe(-14); // more of them
    expect(on(-10, -12, -14)).toBe(-14); // nobody has it any longer
    expect(on(0, 0, -14)).toBe(0);
  });

  it('moves a line only to one that more bookmakers have, in whatever order they come', () => {
    const lines = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(lines, { minLength: 2, maxLength: 6 }), (answers) => {
        let current: number | null = null;
        for (const answer of answers) {
          const quotes = answer.map((line, index) => quote(`b${index}`, line, '1.9', '1.9'));
          const next: number | null = pickQuote(quotes, RULES, current)?.quarters ?? null;
          const support = (line: number | null) => answer.filter((one) => one === line).length;
          expect(support(next)).toBe(Math.max(...answer.map(support)));
          expect(current === null || next === current || support(next) > support(current)).toBe(true);
          expect(pickQuote(quotes.toReversed(), RULES, current)?.quarters).toBe(next);
          current = next;
        }
      }),
    );
  });

  it('has no price without quotes, or without one inside the bounds', () => {
    expect(picked([])).toBeNull();
    expect(picked([quote('sharp', null, '5', '5')])).toBeNull();
  });

  const decimals = fc.integer({ min: 1010, max: 9000 }).map((thousandths) => String(thousandths / 1000));
  const quotes = fc.uniqueArray(
    fc
      .tuple(
        fc.constantFrom('sharp', 'large', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
        fc.integer({ min: -3, max: 3 }),
        decimals,
        decimals,
      )
      .map(([bookmaker, quarters, one, other]) => quote(bookmaker, quarters, one, other)),
    { selector: ({ bookmaker }) => bookmaker },
  );

  it('is always one quote as it came, inside the bounds, on the line that most of those have', () => {
    fc.assert(
      fc.property(quotes, (all) => {
        const found = pickQuote(all, RULES);
        const inside = all.filter((each) => judgeOverround(each, RULES) === 'inside');
        const have = (quarters: number | null) => inside.filter((each) => each.quarters === quarters).length;
        const most = Math.max(...inside.map(({ quarters }) => have(quarters)));
        const onLine = inside.filter((each) => each.quarters === found?.quarters);
        const wanted = RULES.bookmakers.find((key) => onLine.some(({ bookmaker }) => bookmaker === key));
        expect(found === null).toBe(inside.length === 0);
        fc.pre(found !== null);
        expect(inside).toContain(found);
        expect(onLine).toHaveLength(most);
        expect(found.bookmaker).toBe(wanted ?? found.bookmaker);
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order of the bookmakers', () => {
    fc.assert(
      fc.property(
        quotes.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        ([all, shuffled]) => {
          expect(pickQuote(shuffled, RULES)).toEqual(pickQuote(all, RULES));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('leaves as many more likely as less likely, but one, where nobody is preferred', () => {
    fc.assert(
      fc.property(quotes, (all) => {
        const rules = { ...RULES, bookmakers: [] };
        const found = pickQuote(all, rules);
        if (!found) return;
        const line = all.filter(
          (each) => each.quarters === found.quarters && judgeOverround(each, rules) === 'inside',
        );
        const probability = ({ prices: [one, other] }: Quote) =>
          Number(other?.decimal) / (Number(one?.decimal) + Number(other?.decimal));
        const here = probability(found);
        const under = line.filter((each) => probability(each) < here - 1e-12).length;
        const over = line.filter((each) => probability(each) > here + 1e-12).length;
        expect(under).toBeLessThanOrEqual(line.length / 2);
        expect(over).toBeLessThanOrEqual(line.length / 2);
      }),
      { numRuns: 500 },
    );
  });
});
