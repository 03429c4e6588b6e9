import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type DayFacts,
  excludedDevice,
  isToBeShown,
  type MarkerName,
  type MarkerRuleSet,
  MARKERS,
  markersOf,
  nightsDue,
  scoreOf,
} from './harm-markers.js';

const DAY = '2023-10-10';
const rule = (weight: number, days: number, threshold: number, least = 0) => ({
  weight,
  days,
  threshold,
  least,
});
const RULES: MarkerRuleSet = {
  chasingLosses: rule(3, 7, 3),
  nightPlay: rule(2, 7, 50, 10),
  risingStakes: rule(2, 7, 200, 500),
  declinedDeposits: rule(2, 7, 3),
  paidInWhileWithdrawing: rule(2, 28, 2),
  frequentDeposits: rule(1, 7, 4),
  longPlay: rule(1, 7, 6),
};

const NOTHING: DayFacts = {
  day: DAY,
  bets: 0,
  nightBets: 0,
  staked: 0,
  chasingBets: 0,
  payments: 0,
  declined: 0,
  paidInWhileWithdrawing: 0,
  checks: 0,
};
/** So many days before the one that is looked at. */
const ago = (days: number, facts: Partial<DayFacts>): DayFacts => ({
  ...NOTHING,
  ...facts,
  day: new Date(Date.parse(DAY) - days * 86_400_000).toISOString().slice(0, 10),
});

/** What is shown of one marker: its value, or nothing. */
const valueOf = (marker: MarkerName, history: readonly DayFacts[]) =>
  markersOf(history, DAY, RULES).find((one) => one.marker === marker)?.value ?? null;

describe('a marker is shown at its threshold, within its days', () => {
  it.each([
    ['chasingLosses', 'below', [ago(0, { chasingBets: 2, bets: 9 })], null],
    ['chasingLosses', 'at it', [ago(0, { chasingBets: 3, bets: 9 })], 3],
    ['chasingLosses', 'over several days', [ago(0, { chasingBets: 1 }), ago(6, { chasingBets: 2 })], 3],
    ['chasingLosses', 'too long ago', [ago(0, { chasingBets: 1 }), ago(7, { chasingBets: 2 })], null],
    ['chasingLosses', 'on a day to come', [ago(0, { chasingBets: 1 }), ago(-1, { chasingBets: 2 })], null],
    ['nightPlay', 'of too few bets', [ago(0, { bets: 9, nightBets: 9 })], null],
    ['nightPlay', 'of enough bets', [ago(0, { bets: 10, nightBets: 5 })], 50],
    ['nightPlay', 'of a share that is rounded down', [ago(0, { bets: 101, nightBets: 50 })], null],
    ['nightPlay', 'of all days together', [ago(0, { bets: 10, nightBets: 10 }), ago(1, { bets: 11 })], null],
    ['nightPlay', 'without a bet', [ago(0, {})], null],
    ['risingStakes', 'of who never staked before', [ago(0, { staked: 100_000 })], null],
    ['risingStakes', 'of who staked twice as much', [ago(0, { staked: 500 }), ago(7, { staked: 1000 })], 200],
    ['risingStakes', 'a little less', [ago(0, { staked: 500 }), ago(7, { staked: 1001 })], null],
    ['risingStakes', 'of too little', [ago(0, { staked: 499 }), ago(7, { staked: 10 })], null],
    ['risingStakes', 'against days long gone', [ago(0, { staked: 500 }), ago(35, { staked: 1 })], null],
    ['risingStakes', 'against the earliest day', [ago(0, { staked: 500 }), ago(34, { staked: 1 })], 200_000],
    ['declinedDeposits', 'below', [ago(3, { declined: 2 })], null],
    ['declinedDeposits', 'at it', [ago(3, { declined: 3 })], 3],
    ['paidInWhileWithdrawing', 'weeks ago', [ago(27, { paidInWhileWithdrawing: 2 })], 2],
    ['paidInWhileWithdrawing', 'too long ago', [ago(28, { paidInWhileWithdrawing: 2 })], null],
    ['frequentDeposits', 'on one day', [ago(2, { payments: 4 })], 4],
    ['frequentDeposits', 'on two days', [ago(2, { payments: 3 }), ago(3, { payments: 3 })], null],
    ['longPlay', 'on one day', [ago(0, { checks: 6 })], 6],
    ['longPlay', 'on two days', [ago(0, { checks: 5 }), ago(1, { checks: 5 })], null],
  ] as const)('%s, %s', (marker, _, history, value) => {
    expect(valueOf(marker, history)).toBe(value);
  });

  it('with the numbers that it comes from, and those of several add up', () => {
    const history = [
      ago(0, { bets: 12, nightBets: 9, chasingBets: 4, staked: 700 }),
      ago(20, { staked: 400 }),
    ];
    const markers = markersOf(history, DAY, RULES);
    expect(markers).toEqual([
      {
        marker: 'chasingLosses',
        value: 4,
        threshold: 3,
        weight: 3,
        days: 7,
        figures: { chasing: 4, bets: 12 },
      },
      { marker: 'nightPlay', value: 75, threshold: 50, weight: 2, days: 7, figures: { night: 9, bets: 12 } },
      {
        marker: 'risingStakes',
        value: 700,
        threshold: 200,
        weight: 2,
        days: 7,
        figures: { staked: 700, usual: 100 },
      },
    ]);
    expect(scoreOf(markers)).toBe(7);
  });

  it('of nobody who has done nothing, and whatever the order of the days', () => {
    expect(markersOf([], DAY, RULES)).toEqual([]);
    const facts = fc.record({
      day: fc.integer({ min: -2, max: 40 }),
      bets: fc.nat(50),
      nightBets: fc.nat(50),
      staked: fc.nat(2000),
      chasingBets: fc.nat(5),
      payments: fc.nat(6),
      declined: fc.nat(4),
      paidInWhileWithdrawing: fc.nat(3),
      checks: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 45 }), (days) => {
        const history = days.map(({ day, ...rest }) => ago(day, rest));
        const markers = markersOf(history, DAY, RULES);
        expect(markersOf(history.toReversed(), DAY, RULES)).toEqual(markers);
        // Each is what its rule says, and none is shown without it.
        for (const { marker, value, threshold } of markers) {
          expect(value).toBeGreaterThanOrEqual(RULES[marker].threshold);
          expect(threshold).toBe(RULES[marker].threshold);
        }
        // Whoever does more of what is counted shows no less of it.
        const more = [...history, ago(0, { chasingBets: 9, declined: 9, checks: 9, payments: 9 })];
        for (const marker of ['chasingLosses', 'declinedDeposits', 'longPlay', 'frequentDeposits'] as const)
          expect(valueOf(marker, more)).not.toBeNull();
        expect(new Set(markers.map(({ marker }) => marker)).size).toBe(markers.length);
        expect(markers.every(({ marker }) => MARKERS.includes(marker))).toBe(true);
      }),
    );
  });
});

describe('a device on which others excluded themselves is told', () => {
  const at = (text: string) => new Date(text);
  it.each([
    [1, '2023-10-10T09:00:00Z', '2023-10-10T09:00:00Z', 0],
    [2, '2023-10-09T09:00:01Z', '2023-10-10T09:00:00Z', 0],
    [2, '2023-10-09T09:00:00Z', '2023-10-10T09:00:00Z', 1],
    [7, '2022-10-10T09:00:00Z', '2023-10-10T09:00:00Z', 365],
    [1, '2023-10-11T09:00:00Z', '2023-10-10T09:00:00Z', 0], // the clock was moved back
  ])('of %i accounts, since %s, at %s: for %i days', (accounts, since, now, sinceDays) => {
    expect(excludedDevice({ accounts, since: at(since) }, at(now), 4)).toEqual({
      marker: 'excludedDevice',
      value: accounts,
      threshold: 1,
      weight: 4,
      days: 1,
      figures: { accounts, sinceDays },
    });
  });
});

describe('somebody is shown to people', () => {
  const at = (text: string) => new Date(text);
  const rules = { score: 4, quietDays: 14 };
  it.each([
    [3, null, '2023-10-10T09:00:00Z', false],
    [4, null, '2023-10-10T09:00:00Z', true],
    [4, { score: 4, decidedAt: at('2023-10-01T09:00:00Z') }, '2023-10-10T09:00:00Z', false],
    [4, { score: 5, decidedAt: at('2023-10-01T09:00:00Z') }, '2023-10-15T08:59:59Z', false],
    [4, { score: 5, decidedAt: at('2023-10-01T09:00:00Z') }, '2023-10-15T09:00:00Z', true],
    [5, { score: 4, decidedAt: at('2023-10-09T09:00:00Z') }, '2023-10-10T09:00:00Z', true],
    [3, { score: 1, decidedAt: at('2022-10-09T09:00:00Z') }, '2023-10-10T09:00:00Z', false],
  ] as const)('with a score of %i, after %j, at %s: %s', (score, last, now, shown) => {
    expect(isToBeShown(score, rules, last, at(now))).toBe(shown);
  });
});

describe('nights that are due', () => {
  it.each([
    [null, '2023-10-10T09:00:00Z', 7, ['2023-10-09']],
    ['2023-10-09', '2023-10-10T09:00:00Z', 7, []],
    ['2023-10-09', '2023-10-10T23:59:59Z', 7, []],
    ['2023-10-09', '2023-10-11T00:00:00Z', 7, ['2023-10-10']],
    ['2023-10-05', '2023-10-10T09:00:00Z', 7, ['2023-10-06', '2023-10-07', '2023-10-08', '2023-10-09']],
    ['2023-02-26', '2023-03-02T09:00:00Z', 7, ['2023-02-27', '2023-02-28', '2023-03-01']],
    ['2022-10-05', '2023-10-10T09:00:00Z', 2, ['2023-10-08', '2023-10-09']],
    ['2023-10-12', '2023-10-10T09:00:00Z', 7, []], // the clock was moved back
  ])('after %s, at %s, %i at most', (last, now, most, days) => {
    expect(nightsDue(last, new Date(now), most)).toEqual(days);
  });
});
