import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countWeeks } from './calendar.js';
import { partOfWeek, splitFees, subscribedWeeks, usedOf } from './entry-fees.js';

const ZONE = 'America/New_York';
const amounts = fc.bigInt({ min: 0n, max: 10n ** 12n });

describe('the split of the entry fees', () => {
  it.each([
    [1000n, 80, [3n, 2n, 2n], [343n, 229n, 228n], 200n],
    [999n, 80, [1n], [799n], 200n],
    [1000n, 0, [1n, 1n], [0n, 0n], 1000n],
    [1000n, 100, [1n, 1n, 1n], [334n, 333n, 333n], 0n],
    [1000n, 80, [], [], 1000n],
    [0n, 80, [5n], [0n], 0n],
  ])('of %s at %s percent over %j is %j, and %s for the house', (fees, share, weights, pots, house) => {
    expect(splitFees(fees, share, weights)).toEqual({ pots, house });
  });

  it('loses nothing', () => {
    fc.assert(
      fc.property(
        amounts,
        fc.integer({ min: 0, max: 100 }),
        fc.array(fc.bigInt({ min: 0n, max: 100n }), { maxLength: 30 }),
        (fees, share, weights) => {
          const { pots, house } = splitFees(fees, share, weights);
          expect(pots.reduce((sum, pot) => sum + pot, house)).toBe(fees);
          expect(pots.every((pot) => pot >= 0n)).toBe(true);
        },
      ),
    );
  });
});

describe('the weeks of a subscription', () => {
  const of = (
    nextToJoin: number,
    periodEnd: string,
    { paidUntil = null as number | null, holdsNext = false, from = null as string | null } = {},
  ) =>
    subscribedWeeks({
      nextToJoin,
      paidUntil,
      holdsNext,
      periodStart: from === null ? null : new Date(from),
      periodEnd: new Date(periodEnd),
      zone: ZONE,
    });

  it.each([
    ['to the last that begins before the end', of(202341, '2023-11-03T12:00:00Z'), [202341, 202344]],
    ['not that which begins at the end', of(202341, '2023-10-16T04:00:00Z'), [202341, 202341]],
    ['that which begins just before the end', of(202341, '2023-10-16T04:00:00.001Z'), [202341, 202342]],
    [
      'after those that are paid',
      of(202341, '2023-12-03T12:00:00Z', { paidUntil: 202344 }),
      [202345, 202348],
    ],
    [
      'from the next that can be joined',
      of(202346, '2023-12-03T12:00:00Z', { paidUntil: 202344 }),
      [202346, 202348],
    ],
    [
      'not before the period begins, whose payment is told before that of the one before it',
      of(202341, '2023-12-03T12:00:00Z', { from: '2023-11-03T12:00:00Z' }),
      [202345, 202348],
    ],
    [
      'from the week that begins with the period',
      of(202341, '2023-12-03T12:00:00Z', { from: '2023-10-16T04:00:00Z' }),
      [202342, 202348],
    ],
    ['over a new year', of(202351, '2024-01-10T12:00:00Z'), [202351, 202402]],
    [
      'without a week that is held',
      of(202341, '2023-11-03T12:00:00Z', { holdsNext: true }),
      [202342, 202344],
    ],
    [
      'with it, when there is no other',
      of(202341, '2023-10-12T12:00:00Z', { holdsNext: true }),
      [202341, 202341],
    ],
  ])('go %s', (_, span, [first, last]) => {
    expect(span).toEqual({ first, last });
  });

  it.each([
    ['its period has none', of(202341, '2023-10-05T12:00:00Z')],
    ['all are paid', of(202341, '2023-11-03T12:00:00Z', { paidUntil: 202344 })],
  ])('are none when %s', (_, span) => {
    expect(span).toBeNull();
  });
});

describe('the parts of a span', () => {
  const WEEKS = [202351, 202352, 202401, 202402];
  const SPAN = { first: 202351, last: 202402 };

  it('are all of it when each week takes its own, whatever goes back in between', () => {
    fc.assert(
      fc.property(amounts, fc.array(amounts, { minLength: 4, maxLength: 4 }), (amount, refunds) => {
        let left = amount;
        for (const [index, week] of WEEKS.entries()) {
          left -= partOfWeek(left, week, SPAN);
          const refund = refunds[index] ?? 0n;
          if (refund < left) left -= refund;
        }
        expect(left).toBe(0n);
      }),
    );
  });

  it('are what the weeks that are over have used', () => {
    expect(countWeeks(202351, 202402)).toBe(4);
    expect([0, 1, 3, 4].map((weeks) => usedOf(3502n, SPAN, weeks))).toEqual([0n, 876n, 2627n, 3502n]);
    expect(partOfWeek(3502n, 202351, SPAN)).toBe(876n);
  });

  it('are what remains, after the last', () => {
    expect(partOfWeek(17n, 202403, SPAN)).toBe(17n);
  });
});
