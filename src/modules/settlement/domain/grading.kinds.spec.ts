import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BetResult } from '../../bets/domain/bet-machine.js';
import { priceFromDecimal } from '../../sports/domain/odds.js';
import { deadHeat, type GameResult, gradeMarket, gradeOf, gradeProp, payout } from './grading.js';

function final(homeScore: number, awayScore: number): GameResult {
  return { status: 'final', homeScore, awayScore };
}

/** Each outcome of a three-way moneyline with its result, in the order in which they are shown. */
function graded(result: GameResult): [string, BetResult][] {
  const grades = gradeMarket({ kind: 'three_way', line: null }, result);
  return Object.entries(grades).map(([outcome, grade]) => [outcome, grade.result]);
}

describe('a three-way moneyline', () => {
  it.each<[number, number, BetResult[]]>([
    [2, 1, ['won', 'lost', 'lost']],
    [1, 1, ['lost', 'won', 'lost']],
    [0, 0, ['lost', 'won', 'lost']],
    [0, 3, ['lost', 'lost', 'won']],
  ])('at %i-%i is %j for home, draw and away', (home, away, expected) => {
    expect(graded(final(home, away))).toEqual(
      ['home', 'draw', 'away'].map((outcome, index) => [outcome, expected[index]]),
    );
  });

  it.each<[GameResult['status'], number | undefined]>([
    ['cancelled', undefined],
    ['postponed', undefined],
    ['walkover', undefined],
    ['abandoned', 54],
  ])('of a game that is %s is void', (status, minutesPlayed) => {
    const result: GameResult = { status, homeScore: 3, awayScore: 0, minutesPlayed, actionMinutes: 55 };
    expect(graded(result).map(([, is]) => is)).toEqual(['void', 'void', 'void']);
  });

  it('of an abandoned game that counts is graded', () => {
    const result: GameResult = {
      status: 'abandoned',
      homeScore: 1,
      awayScore: 1,
      minutesPlayed: 55,
      actionMinutes: 55,
    };
    expect(graded(result).map(([, is]) => is)).toEqual(['lost', 'won', 'lost']);
  });

  it('has exactly one winner, whatever the score, and agrees with the two-way one but for ties', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), (home, away) => {
        const three = gradeMarket({ kind: 'three_way', line: null }, final(home, away));
        const two = gradeMarket({ kind: 'moneyline', line: null }, final(home, away));
        expect(Object.values(three).filter(({ result }) => result === 'won')).toHaveLength(1);
        expect(three.draw.result === 'won').toBe(two.home.result === 'push');
        const played = home === away ? [gradeOf('lost'), gradeOf('lost')] : [two.home, two.away];
        expect([three.home, three.away]).toEqual(played);
      }),
    );
  });
});

describe('a prop', () => {
  const outcomes = ['a', 'b', 'c'].map((key) => ({ key, label: key.toUpperCase() }));
  const props = (winners: string[] | undefined): GameResult['props'] =>
    winners === undefined ? { other: ['a'] } : { first: winners };
  const gradesBy = (result: GameResult, places = 1) =>
    Object.entries(gradeProp({ kind: 'prop', prop: 'first', outcomes, places }, result)).map(
      ([key, { result: is, factors }]) =>
        `${key} ${is}${factors.h.den === 1 ? '' : ` ${factors.h.num}/${factors.h.den}`}`,
    );

  it.each<[string, string[] | undefined, number, string[]]>([
    ['its winner', ['b'], 1, ['a lost', 'b won', 'c lost']],
    ['a dead heat for one place', ['a', 'c'], 1, ['a won 1/2', 'b lost', 'c won 1/2']],
    ['a dead heat of three for two places', ['a', 'b', 'c'], 2, ['a won 2/3', 'b won 2/3', 'c won 2/3']],
    ['as many winners as places', ['a', 'b'], 2, ['a won', 'b won', 'c lost']],
    ['fewer winners than places', ['a'], 2, ['a won', 'b lost', 'c lost']],
    ['winners that the market does not know', ['a', 'x', 'y'], 1, ['a won 1/3', 'b lost', 'c lost']],
    ['a winner that the market does not know', ['x'], 1, ['a lost', 'b lost', 'c lost']],
    ['a winner that is named twice', ['a', 'a'], 1, ['a won', 'b lost', 'c lost']],
    ['nobody', [], 1, ['a lost', 'b lost', 'c lost']],
    ['no field', undefined, 1, ['a void', 'b void', 'c void']],
  ])('is graded by %s', (_, winners, places, expected) => {
    const result = { ...final(1, 0), props: props(winners) };
    expect(gradesBy(result, places)).toEqual(expected);
    // What was reported of a game that broke off is decided, whatever was played of it.
    expect(gradesBy({ ...result, status: 'abandoned', homeScore: null, awayScore: null }, places)).toEqual(
      expected,
    );
    for (const status of ['cancelled', 'postponed', 'walkover'] as const)
      expect(gradesBy({ ...result, status }, places)).toEqual(['a void', 'b void', 'c void']);
  });

  it.each([null, undefined])('is void when the result has no props at all (%s)', (none) => {
    expect(gradesBy({ ...final(1, 0), ...(none === null ? { props: null } : {}) })).toEqual([
      'a void',
      'b void',
      'c void',
    ]);
  });

  it('knows no key that JavaScript lends to every object', () => {
    const result: GameResult = { ...final(1, 0), props: JSON.parse('{"other": ["a"]}') };
    const grades = gradeProp({ kind: 'prop', prop: 'constructor', outcomes, places: 1 }, result);
    expect(Object.values(grades).map(({ result: is }) => is)).toEqual(['void', 'void', 'void']);
  });

  it('in a dead heat pays its winners together what as many winners as places would have, to less than a credit each', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 1_000_000n }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(5),
        (stake, places, more) => {
          const winners = places + more;
          const price = priceFromDecimal('4.25');
          const { factors } = more === 0 ? gradeOf('won') : deadHeat(places, winners);
          const together = BigInt(winners) * payout(stake, price, factors);
          const whole = (BigInt(places) * stake * price.num) / price.den;
          expect(together <= whole && together > whole - BigInt(winners) - 1n).toBe(true);
        },
      ),
    );
  });
});

describe('grading refuses', () => {
  it.each([
    [0, 3],
    [2, 1],
    [1.5, 3],
    [1, Number.NaN],
  ])('a dead heat of %d places and %d winners', (places, tied) => {
    expect(() => deadHeat(places, tied)).toThrow(RangeError);
  });
});
