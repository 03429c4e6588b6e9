import { describe, expect, it } from '@jest/globals';
import { askAgainAt } from './asking.js';
import { blockedUntil, failuresSince } from './velocity.js';

const LIMITS = { failures: 5, minutes: 10, blockMinutes: 60 };
const at = (minutes: number) => new Date(Date.UTC(2023, 9, 3, 12) + minutes * 60_000);

describe('failed payments', () => {
  it.each([
    ['four of them', [0, 1, 2, 3], 4, null],
    ['five within ten minutes', [0, 1, 2, 3, 10], 11, 70],
    ['five within ten minutes and a moment', [0, 1, 2, 3, 10.01], 11, null],
    ['five, in any order', [10, 3, 0, 2, 1], 11, 70],
    ['five, when the block is over', [0, 1, 2, 3, 4], 64, null],
    ['five, a moment before it is over', [0, 1, 2, 3, 4], 63.99, 64],
    ['five, and one more long after', [0, 1, 2, 3, 4, 30], 31, 64],
    ['six in a row', [0, 1, 2, 3, 4, 9], 10, 69],
    ['five spread over an hour', [0, 12, 24, 36, 48], 49, null],
    ['none', [], 0, null],
  ])('block paying: %s', (_, failures, now, until) => {
    expect(blockedUntil(failures.map(at), at(now), LIMITS)).toEqual(until === null ? null : at(until));
  });

  it('are looked for as far back as any could block', () => {
    const now = at(100);
    expect(failuresSince(now, LIMITS)).toEqual(at(30));
  });
});

describe('a provider that has no word', () => {
  it('is asked again later each time, but four times a day at least', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 40].map(
      (asked) => (askAgainAt(at(0), asked, 15).getTime() - at(0).getTime()) / 60_000,
    );
    expect(waits).toEqual([15, 30, 60, 120, 240, 360, 360, 360]);
  });
});
