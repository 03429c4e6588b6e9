import { describe, expect, it } from '@jest/globals';
import type { LimitKind, LimitPeriod, Maxima } from '../../../../platform/config/jurisdiction-rules.js';
import {
  availableOf,
  countsAs,
  effectiveLimits,
  exceeded,
  missingLimit,
  type UsedLimit,
} from './limit-check.js';

const own = (kind: LimitKind, period: LimitPeriod, amount: bigint) => ({ kind, period, amount });
const used = (period: LimitPeriod, amount: bigint, of: bigint): UsedLimit => ({
  kind: 'deposit',
  period,
  amount,
  used: of,
});

describe('the limit that applies', () => {
  const platform: Maxima = { deposit: { month: { USD: 1000 } } };
  const place: Maxima = { deposit: { month: { USD: 500, EUR: 50 } } };
  it.each<[string, Maxima[], bigint | null, bigint | null]>([
    ['none', [{}, {}], null, null],
    ["the user's", [{}, {}], 70n, 70n],
    ["the operator's", [platform, {}], null, 1000n],
    ["the place's, which is lower than the operator's", [platform, place], null, 500n],
    ["the user's, which is lowest", [platform, place], 70n, 70n],
    ["the place's, when the user's is higher", [platform, place], 700n, 500n],
    ["the operator's, when the user's is higher", [platform, {}], 7000n, 1000n],
    ['nothing at all', [platform, place], 0n, 0n],
  ])('is %s', (_, maxima, amount, applies) => {
    const set = amount === null ? [] : [own('deposit', 'month', amount)];
    const [limit, ...others] = effectiveLimits('USD', maxima, set);
    expect(limit?.amount ?? null).toBe(applies);
    expect(others).toEqual([]);
  });

  it('is of one currency', () => {
    expect(effectiveLimits('GBP', [platform, place], [])).toEqual([]);
    expect(effectiveLimits('EUR', [platform, place], [])).toEqual([own('deposit', 'month', 50n)]);
  });

  it('stands beside those of other kinds and periods', () => {
    const set = [own('loss', 'day', 1n), own('deposit', 'week', 2n), own('deposit', 'day', 3n)];
    expect(effectiveLimits('USD', [{ stake: { day: { USD: 4 } } }], set)).toEqual([
      own('deposit', 'day', 3n),
      own('deposit', 'week', 2n),
      own('stake', 'day', 4n),
      own('loss', 'day', 1n),
    ]);
  });
});

describe('an amount', () => {
  it.each<[string, UsedLimit[], bigint, LimitPeriod | null]>([
    ['that fits to the last unit', [used('day', 100n, 60n)], 40n, null],
    ['of one unit too much', [used('day', 100n, 60n)], 41n, 'day'],
    ['where nothing may be', [used('day', 0n, 0n)], 1n, 'day'],
    ['where more was booked than may be by now', [used('day', 50n, 60n)], 1n, 'day'],
    [
      'beyond two: the one of which least is left',
      [used('day', 100n, 60n), used('month', 500n, 490n)],
      41n,
      'month',
    ],
    [
      'beyond two of which as much is left: the longer',
      [used('day', 100n, 60n), used('week', 100n, 60n)],
      41n,
      'week',
    ],
    ['beyond the longer alone', [used('day', 100n, 0n), used('month', 500n, 490n)], 41n, 'month'],
    ['of somebody who has won', [used('day', 100n, -50n)], 150n, null],
    ['of somebody who has won, and wants more', [used('day', 100n, -50n)], 151n, 'day'],
    ['where there is no limit', [], 1_000_000n, null],
  ])('%s', (_, limits, amount, broken) => {
    expect(exceeded(limits, amount)?.period ?? null).toBe(broken);
  });

  it.each([
    [100n, 60n, 40n],
    [100n, 100n, 0n],
    [50n, 60n, 0n],
    [100n, -50n, 150n],
  ])('of a limit of %d with %d used leaves %d', (amount, of, left) => {
    expect(availableOf(used('day', amount, of))).toBe(left);
  });
});

describe('what is booked', () => {
  it('counts as what it is', () => {
    expect(countsAs('deposit')).toEqual(['deposit']);
    expect(countsAs('stake')).toEqual(['stake', 'loss']);
    expect(countsAs('purchase')).toEqual(['deposit', 'stake', 'loss']);
  });

  it.each<[LimitKind[], LimitKind[], LimitKind[], LimitKind | null]>([
    [[], ['deposit'], [], null],
    [['deposit'], ['deposit'], [], 'deposit'],
    [['deposit'], ['deposit'], ['deposit'], null],
    [['deposit'], ['stake', 'loss'], [], null],
    [['loss'], ['deposit', 'stake', 'loss'], ['deposit'], 'loss'],
    [['deposit', 'stake', 'loss'], ['deposit', 'stake', 'loss'], ['deposit', 'loss'], 'stake'],
  ])('where %j have to be limited, as %j, with limits of %j, lacks %s', (mandatory, kinds, set, missing) => {
    const limits = set.map((kind) => own(kind, 'month', 1n));
    expect(missingLimit(mandatory, kinds, limits)).toBe(missing);
  });
});
