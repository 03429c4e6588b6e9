import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BetResult } from '../../bets/domain/bet-machine.js';
import type { Outcome, ScoreKind } from '../../sports/domain/markets.js';
import { payoutOf, priceFromAmerican, priceFromDecimal } from '../../sports/domain/odds.js';
import { deadHeat, type GameResult, type Grade, gradeMarket, gradeOf, payout } from './grading.js';

function final(homeScore: number, awayScore: number): GameResult {
  return { status: 'final', homeScore, awayScore };
}

function graded(kind: ScoreKind, line: string | null, result: GameResult): [Outcome, BetResult][] {
  return Object.entries(gradeMarket({ kind, line }, result)).map(([outcome, grade]) => [
    outcome as Outcome,
    grade.result,
  ]);
}

/** The result of the first outcome (home, over), and that the other one mirrors it. */
function firstOf(kind: ScoreKind, line: string | null, result: GameResult): BetResult {
  const [first, second] = graded(kind, line, result);
  const mirror: Record<BetResult, BetResult> = {
    won: 'lost',
    lost: 'won',
    push: 'push',
    void: 'void',
    half_won: 'half_lost',
    half_lost: 'half_won',
  };
  expect(second?.[1]).toBe(mirror[first?.[1] ?? 'void']);
  return first?.[1] ?? 'void';
}

describe('a final game grades', () => {
  it.each<[ScoreKind, string | null, number, number, BetResult]>([
    ['moneyline', null, 24, 17, 'won'],
    ['moneyline', null, 17, 24, 'lost'],
    ['moneyline', null, 20, 20, 'push'],
    ['spread', '-2.5', 24, 21, 'won'],
    ['spread', '-3', 24, 21, 'push'],
    ['spread', '-3.0', 24, 21, 'push'],
    ['spread', '-3.5', 24, 21, 'lost'],
    ['spread', '+3.5', 21, 24, 'won'],
    ['spread', '3', 21, 24, 'push'],
    ['spread', '0', 21, 24, 'lost'],
    ['spread', '-2.25', 2, 0, 'half_lost'],
    ['spread', '-2.75', 3, 0, 'half_won'],
    ['spread', '-0.25', 1, 1, 'half_lost'],
    ['spread', '+0.25', 1, 1, 'half_won'],
    ['spread', '-0.25', 2, 1, 'won'],
    ['spread', '+0.75', 0, 1, 'half_lost'],
    ['spread', '-0.75', 1, 0, 'half_won'],
    ['total', '44.5', 24, 21, 'won'],
    ['total', '45', 24, 21, 'push'],
    ['total', '45.5', 24, 21, 'lost'],
    ['total', '2.25', 1, 1, 'half_lost'],
    ['total', '2.75', 2, 1, 'half_won'],
    ['total', '2.25', 2, 1, 'won'],
    ['total', '2.75', 1, 1, 'lost'],
    ['total', '0', 0, 0, 'push'],
  ])('%s %s at %i-%i: home or over is %s', (kind, line, home, away, expected) => {
    expect(firstOf(kind, line, final(home, away))).toBe(expected);
  });

  it('by outcome', () => {
    expect(graded('spread', '-2.5', final(24, 21))).toEqual([
      ['home', 'won'],
      ['away', 'lost'],
    ]);
    expect(graded('total', '2.75', final(2, 1))).toEqual([
      ['over', 'half_won'],
      ['under', 'half_lost'],
    ]);
  });
});

describe('a game without a final score', () => {
  const abandoned = (homeScore: number, awayScore: number, minutesPlayed?: number): GameResult => ({
    status: 'abandoned',
    homeScore,
    awayScore,
    minutesPlayed,
    actionMinutes: 55,
  });

  it.each(['cancelled', 'postponed', 'walkover'] as const)(
    'that is %s voids all of it, passed totals too',
    (status) => {
      const result: GameResult = {
        status,
        homeScore: 30,
        awayScore: 30,
        minutesPlayed: 59,
        actionMinutes: 55,
      };
      expect(firstOf('moneyline', null, result)).toBe('void');
      expect(firstOf('spread', '-3.5', result)).toBe('void');
      expect(firstOf('total', '44.5', result)).toBe('void');
      expect(firstOf('total', '44.5', { status, homeScore: null, awayScore: null })).toBe('void');
    },
  );

  it.each<[string, ScoreKind, string | null, GameResult, BetResult]>([
    ['counts from 55 minutes', 'moneyline', null, abandoned(20, 10, 55), 'won'],
    ['counts for spreads too', 'spread', '-10.5', abandoned(20, 10, 57), 'lost'],
    ['counts for an under', 'total', '44.5', abandoned(20, 10, 55), 'lost'],
    ['does not count at 54 minutes', 'moneyline', null, abandoned(20, 10, 54), 'void'],
    ['does not count when the minutes are unknown', 'spread', '-3.5', abandoned(20, 10), 'void'],
    ['keeps a total that was passed', 'total', '44.5', abandoned(28, 17, 40), 'won'],
    ['keeps a whole total that was passed', 'total', '44', abandoned(28, 17, 40), 'won'],
    ['voids a total that was only reached', 'total', '45', abandoned(28, 17, 40), 'void'],
    ['voids a total that was not passed', 'total', '45.5', abandoned(28, 17, 40), 'void'],
    ['keeps both halves of a quarter line that was passed', 'total', '2.25', abandoned(2, 1, 40), 'won'],
    ['keeps the half that was passed, voids the other', 'total', '2.75', abandoned(2, 1, 40), 'half_won'],
    ['voids a quarter line of which no half was passed', 'total', '2.25', abandoned(1, 1, 40), 'void'],
  ])('%s (%s %s)', (_, kind, line, result, expected) => {
    expect(firstOf(kind, line, result)).toBe(expected);
  });

  it('has no action in a sport that names no minutes', () => {
    const result: GameResult = { status: 'abandoned', homeScore: 2, awayScore: 0, minutesPlayed: 89 };
    expect(firstOf('moneyline', null, result)).toBe('void');
    expect(firstOf('total', '1.5', result)).toBe('won');
  });

  it('is void where no score is known', () => {
    expect(firstOf('total', '1.5', { status: 'abandoned', homeScore: null, awayScore: null })).toBe('void');
    for (const [homeScore, awayScore] of [
      [null, null],
      [20, null],
      [null, 10],
    ] as const) {
      const enough = {
        status: 'abandoned',
        homeScore,
        awayScore,
        minutesPlayed: 55,
        actionMinutes: 55,
      } as const;
      expect(firstOf('moneyline', null, enough)).toBe('void');
      expect(firstOf('spread', '-3.25', enough)).toBe('void');
      expect(firstOf('total', '1.5', enough)).toBe('void');
    }
  });
});

describe('grading refuses', () => {
  it.each([-1, 1.5, Number.NaN, null, '2' as unknown as number])('a score of %j', (score) => {
    expect(() =>
      gradeMarket({ kind: 'moneyline', line: null }, { ...final(0, 0), homeScore: score }),
    ).toThrow(RangeError);
    expect(() => gradeMarket({ kind: 'total', line: '1.5' }, { ...final(0, 0), awayScore: score })).toThrow(
      RangeError,
    );
  });

  it.each([null, '', '2.1', 'pk', '-0.5/-1'])('a spread of %j', (line) => {
    expect(() => gradeMarket({ kind: 'spread', line }, final(1, 0))).toThrow(RangeError);
    expect(() => gradeMarket({ kind: 'spread', line }, { ...final(1, 0), status: 'cancelled' })).toThrow(
      RangeError,
    );
  });

  it('a total below nothing', () => {
    expect(() => gradeMarket({ kind: 'total', line: '-2.5' }, final(1, 0))).toThrow(RangeError);
  });

  it.each([0n, -1n])('a stake of %s', (stake) => {
    expect(() => payout(stake, priceFromAmerican(120), gradeOf('won').factors)).toThrow(RangeError);
  });
});

describe('a payout', () => {
  it.each<[bigint, string, Grade, bigint]>([
    [50n, '+120', gradeOf('won'), 110n],
    [50n, '-140', gradeOf('won'), 85n],
    [50n, '-140', gradeOf('lost'), 0n],
    [50n, '-140', gradeOf('push'), 50n],
    [50n, '-140', gradeOf('void'), 50n],
    [100n, '1.9', gradeOf('half_won'), 145n],
    [100n, '1.9', gradeOf('half_lost'), 50n],
    [1n, '1.9', gradeOf('half_lost'), 0n],
    [1n, '1.9', gradeOf('half_won'), 1n],
    [3n, '-110', gradeOf('half_won'), 4n],
    [20n, '4.0', deadHeat(1, 3), 26n],
    [20n, '4.0', deadHeat(1, 2), 40n],
    [20n, '4.0', deadHeat(2, 3), 53n],
    [20n, '4.0', deadHeat(3, 3), 80n],
  ])('of %s at %s, %j, is %s', (stake, odds, grade, expected) => {
    const price = /^[+-]/.test(odds) ? priceFromAmerican(Number(odds)) : priceFromDecimal(odds);
    expect(payout(stake, price, grade.factors)).toBe(expected);
  });

  const anyStake = fc.bigInt({ min: 1n, max: 10n ** 12n });
  const anyPrice = fc
    .tuple(fc.integer({ min: 100, max: 100_000 }), fc.boolean())
    .map(([size, plus]) => priceFromAmerican(plus ? size : -size));

  it('of a plain win is the price’s, of a push the stake, of a loss nothing', () => {
    fc.assert(
      fc.property(anyStake, anyPrice, (stake, price) => {
        expect(payout(stake, price, gradeOf('won').factors)).toBe(payoutOf(stake, price));
        expect(payout(stake, price, gradeOf('push').factors)).toBe(stake);
        expect(payout(stake, price, gradeOf('lost').factors)).toBe(0n);
      }),
    );
  });

  it('of a half result is within one unit of the two half bets, and never below them', () => {
    fc.assert(
      fc.property(anyStake, anyPrice, (half, price) => {
        const stake = 2n * half;
        expect(payout(stake, price, gradeOf('half_lost').factors)).toBe(half);
        expect(payout(stake, price, gradeOf('half_won').factors)).toBe(half + payoutOf(half, price));
      }),
    );
  });

  it('is floored once: no more than the exact value, and less than one unit under it', () => {
    const anyGrade = fc.oneof(
      fc.constantFrom<BetResult>('won', 'lost', 'push', 'void', 'half_won', 'half_lost').map(gradeOf),
      fc
        .tuple(fc.integer({ min: 1, max: 5 }), fc.nat(5))
        .map(([places, more]) => deadHeat(places, places + more)),
    );
    fc.assert(
      fc.property(anyStake, anyPrice, anyGrade, (stake, price, { factors: { v, w, h } }) => {
        const den = BigInt(v.den) * BigInt(h.den) * price.den;
        const exact =
          stake * BigInt(v.num) * BigInt(h.den) * price.den +
          stake * BigInt(v.den - v.num) * BigInt(w) * BigInt(h.num) * price.num;
        const paid = payout(stake, price, { v, w, h });
        expect(paid * den <= exact && (paid + 1n) * den > exact).toBe(true);
      }),
    );
  });
});

describe('whatever the line and the score', () => {
  const anyScore = fc.nat(60);
  const anyQuarters = fc.integer({ min: -80, max: 80 });

  it('a quarter line is half of each neighbouring half line', () => {
    const partFactor: Partial<Record<BetResult, number>> = { won: 1, push: 0, lost: -1 };
    const wholeFactor: Partial<Record<BetResult, number>> = {
      won: 2,
      half_won: 1,
      push: 0,
      half_lost: -1,
      lost: -2,
    };
    fc.assert(
      fc.property(anyScore, anyScore, fc.integer({ min: -40, max: 40 }), (home, away, n) => {
        const line = (2 * n + 1) / 4;
        const result = final(home, away);
        const parts = [line - 0.25, line + 0.25].map((part) => firstOf('spread', String(part), result));
        const sum = parts.reduce((total, part) => total + (partFactor[part] ?? Number.NaN), 0);
        expect(wholeFactor[firstOf('spread', String(line), result)]).toBe(sum);
      }),
    );
  });

  it('a spread backed on away is the mirrored spread backed on home', () => {
    fc.assert(
      fc.property(anyScore, anyScore, anyQuarters, (home, away, quarters) => {
        const grades = gradeMarket({ kind: 'spread', line: String(quarters / 4) }, final(home, away));
        const mirrored = gradeMarket({ kind: 'spread', line: String(-quarters / 4) }, final(away, home));
        expect(mirrored).toEqual({ home: grades.away, away: grades.home });
      }),
    );
  });

  it('a moneyline is a spread of nothing, and a total a spread against a team that scores nothing', () => {
    fc.assert(
      fc.property(anyScore, anyScore, fc.nat(300), (home, away, quarters) => {
        const result = final(home, away);
        expect(firstOf('moneyline', null, result)).toBe(firstOf('spread', '0', result));
        const line = quarters / 4;
        expect(firstOf('total', String(line), result)).toBe(
          firstOf('spread', String(-line), final(home + away, 0)),
        );
      }),
    );
  });

  it('a point more never makes home or over worse', () => {
    const order: BetResult[] = ['lost', 'half_lost', 'push', 'half_won', 'won'];
    fc.assert(
      fc.property(anyScore, anyScore, fc.nat(80), (home, away, quarters) => {
        for (const kind of ['spread', 'total'] as const) {
          const line = String(quarters / 4);
          const before = order.indexOf(firstOf(kind, line, final(home, away)));
          expect(order.indexOf(firstOf(kind, line, final(home + 1, away)))).toBeGreaterThanOrEqual(before);
        }
      }),
    );
  });
});
