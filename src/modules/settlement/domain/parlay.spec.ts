import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BET_RESULTS, type BetResult } from '../../bets/domain/bet-machine.js';
import { priceFromAmerican, priceFromDecimal, type Price } from '../../sports/domain/odds.js';
import { deadHeat, type Grade, gradeOf, payout } from './grading.js';
import { legFactor, type ParlayLeg, parlayReason, parlayVerdict } from './parlay.js';
import type { Reason } from './verdicts.js';

/** `2.060 won`, `4.550 won 1/3`, `placed`. */
function leg(text: string): ParlayLeg {
  const [decimal = '', status, heat] = text.split(' ');
  if (status === undefined || status === 'placed') return { status: 'placed', factor: null };
  const [places = 1, winners = 1] = (heat ?? '').split('/').map(Number);
  const grade = heat === undefined ? gradeOf(status as BetResult) : deadHeat(places, winners);
  return { status: grade.result, factor: legFactor(priceFromDecimal(decimal), grade.factors) };
}

describe('the reason of a parlay', () => {
  it.each<[[string, Reason | null][], Reason | null]>([
    // All void: their reason, or that there are several.
    [
      [
        ['2 void', 'GAME_CANCELLED'],
        ['3 void', 'GAME_CANCELLED'],
      ],
      'GAME_CANCELLED',
    ],
    [
      [
        ['2 void', 'GAME_CANCELLED'],
        ['3 void', 'GAME_WALKOVER'],
      ],
      'LEGS_VOID',
    ],
    // The one that alone was played.
    [
      [
        ['2 won 1/2', 'DEAD_HEAT'],
        ['3 void', 'GAME_CANCELLED'],
      ],
      'DEAD_HEAT',
    ],
    [
      [
        ['2 won', null],
        ['3 void', 'GAME_CANCELLED'],
      ],
      null,
    ],
    // Several that were played, a push among what is returned, a lost one, and an open one.
    [
      [
        ['2 won 1/2', 'DEAD_HEAT'],
        ['3 won', null],
      ],
      null,
    ],
    [
      [
        ['2 push', null],
        ['3 void', 'GAME_CANCELLED'],
      ],
      null,
    ],
    [
      [
        ['2 lost', null],
        ['3 void', 'GAME_CANCELLED'],
      ],
      null,
    ],
    [
      [
        ['2 void', 'GAME_CANCELLED'],
        ['3 placed', null],
      ],
      null,
    ],
  ])('of %j is %s', (legs, reason) => {
    const judged = legs.map(([text, of]) => ({ ...leg(text), reason: of }));
    expect(parlayReason(judged)).toBe(reason);
    expect(parlayReason(judged.toReversed())).toBe(reason);
  });
});

describe('a parlay', () => {
  it.each<[bigint, string[], ParlayLeg['status'], bigint | null]>([
    // The examples of the rules.
    [100n, ['2.060 won', '4.550 won'], 'won', 937n],
    [100n, ['2.060 won', '4.550 won', '1.9 half_lost'], 'won', 468n],
    [100n, ['2.060 void', '4.550 void'], 'void', 100n],
    // One lost leg loses it at once.
    [100n, ['2.060 lost', '4.550 won'], 'lost', 0n],
    [100n, ['2.060 lost', '4.550 placed'], 'lost', 0n],
    [100n, ['2.060 lost', '4.550 void'], 'lost', 0n],
    [100n, ['2.060 lost', '4.550 lost'], 'lost', 0n],
    // Open while a leg is.
    [100n, ['2.060 won', '4.550 placed'], 'placed', null],
    [100n, ['2.060 void', '4.550 placed'], 'placed', null],
    // What is returned counts one.
    [100n, ['2.060 void', '4.550 push'], 'push', 100n],
    [100n, ['2.060 push', '4.550 push'], 'push', 100n],
    [100n, ['2.060 won', '4.550 push'], 'won', 206n],
    [100n, ['2.060 void', '4.550 won', '1.5 push'], 'won', 455n],
    // One that alone was played gives its status.
    [100n, ['1.9 half_won', '4.550 push'], 'half_won', 145n],
    [100n, ['1.9 half_lost', '4.550 void'], 'half_lost', 50n],
    // Several that were played: won, or half lost when they pay less than the stake.
    [100n, ['1.9 half_won', '1.9 half_won'], 'won', 210n],
    [100n, ['1.9 half_lost', '1.9 won'], 'half_lost', 95n],
    [100n, ['1.5 half_lost', '2.0 won'], 'won', 100n],
    [100n, ['1.9 half_lost', '1.9 half_lost'], 'half_lost', 25n],
    [1n, ['1.9 half_lost', '1.9 half_lost'], 'half_lost', 0n],
    // A dead heat takes its share only.
    [20n, ['4.0 won 1/3', '1.5 won'], 'won', 40n],
    [20n, ['4.0 won 1/3', '1.5 push'], 'won', 26n],
    [20n, ['4.0 won 1/5', '1.1 won'], 'half_lost', 17n],
    // Floored once: 7 × 1.909…² is 25.51…, but 13.36… floored is 13, and 13 × 1.909… only 24.
    [7n, ['1.909 won', '1.909 won'], 'won', 25n],
  ])('of %s on %j is %s, %s', (stake, legs, status, paid) => {
    expect(parlayVerdict(stake, legs.map(leg))).toEqual({ status, payout: paid });
  });

  it.each([0n, -1n])('has no stake of %s', (stake) => {
    expect(() => parlayVerdict(stake, [leg('2.0 won')])).toThrow(RangeError);
  });

  it('has legs', () => {
    expect(() => parlayVerdict(1n, [])).toThrow(RangeError);
  });

  const anyStake = fc.bigInt({ min: 1n, max: 10n ** 9n });
  const anyPrice: fc.Arbitrary<Price> = fc.oneof(
    fc.integer({ min: 100, max: 10_000 }).map(priceFromAmerican),
    fc.integer({ min: 100, max: 10_000 }).map((size) => priceFromAmerican(-size)),
    fc.integer({ min: 1001, max: 60_000 }).map((thousandths) => priceFromDecimal(String(thousandths / 1000))),
  );
  const anyGrade: fc.Arbitrary<Grade> = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...BET_RESULTS).map(gradeOf) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
        .map(([p, n]) => deadHeat(p, p + n)),
    },
  );
  const anyLeg: fc.Arbitrary<ParlayLeg> = fc.oneof(
    { weight: 1, arbitrary: fc.constant<ParlayLeg>({ status: 'placed', factor: null }) },
    {
      weight: 9,
      arbitrary: fc
        .tuple(anyPrice, anyGrade)
        .map(([price, { result, factors }]) => ({ status: result, factor: legFactor(price, factors) })),
    },
  );
  const legs = fc.array(anyLeg, { minLength: 1, maxLength: 12 });

  it('is the same in whatever order its legs are', () => {
    fc.assert(
      fc.property(anyStake, legs, fc.infiniteStream(fc.nat()), (stake, all, order) => {
        const keyed = all.map((one) => ({ one, key: order.next().value as number }));
        const shuffled = keyed.toSorted((a, b) => a.key - b.key).map(({ one }) => one);
        expect(parlayVerdict(stake, shuffled)).toEqual(parlayVerdict(stake, all));
      }),
    );
  });

  it('of one leg is that single bet', () => {
    fc.assert(
      fc.property(anyStake, anyPrice, anyGrade, (stake, price, { result, factors }) => {
        const verdict = parlayVerdict(stake, [{ status: result, factor: legFactor(price, factors) }]);
        expect(verdict).toEqual({ status: result, payout: payout(stake, price, factors) });
      }),
    );
  });

  it('is not changed by a leg that is returned, but that void with it is a push', () => {
    fc.assert(
      fc.property(anyStake, legs, (stake, all) => {
        const before = parlayVerdict(stake, all);
        const after = parlayVerdict(stake, [...all, leg('2.0 push')]);
        expect(after).toEqual(before.status === 'void' ? { ...before, status: 'push' } : before);
      }),
    );
  });

  it('pays the exact product, floored once: no more, and less than one unit under it', () => {
    fc.assert(
      fc.property(anyStake, legs, (stake, all) => {
        const { status, payout: paid } = parlayVerdict(stake, all);
        if (paid === null || status === 'lost') return;
        const product = (of: (one: ParlayLeg) => bigint) => all.reduce((made, one) => made * of(one), 1n);
        const num = product(({ factor }) => factor!.num) * stake;
        const den = product(({ factor }) => factor!.den);
        expect(paid * den <= num && (paid + 1n) * den > num).toBe(true);
      }),
    );
  });

  it('is lost exactly when a leg is', () => {
    fc.assert(
      fc.property(anyStake, legs, (stake, all) => {
        const lost = all.some(({ status }) => status === 'lost');
        expect(parlayVerdict(stake, all).status === 'lost').toBe(lost);
      }),
    );
  });
});
