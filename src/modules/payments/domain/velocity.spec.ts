import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
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

  it('that were too long ago to be looked for never block, whenever they and the others were', () => {
    const now = at(100);
    const since = failuresSince(now, LIMITS);
    // Around the edge, which is at 30, so that most runs of five lie across it or close by.
    const minutes = fc.integer({ min: 250, max: 450 }).map((tenths) => tenths / 10);
    fc.assert(
      fc.property(fc.array(minutes, { minLength: 4, maxLength: 9 }), (failures) => {
        const all = failures.map(at);
        const lookedFor = all.filter((failed) => failed > since);
        expect(blockedUntil(lookedFor, now, LIMITS)).toEqual(blockedUntil(all, now, LIMITS));
      }),
      { numRuns: 2000 },
    );
  });

  it('are looked for so far back that none that still blocks is missed', () => {
    // The latest block that is not over yet, of failures as far apart as may be.
    const earliest = at(30.01);
    const failures = [earliest, at(33), at(36), at(38), at(40.01)];
    expect(blockedUntil(failures, at(100), LIMITS)).toEqual(at(100.01));
    expect(blockedUntil(failures.slice(1), at(100), LIMITS)).toBeNull();
    expect(earliest > failuresSince(at(100), LIMITS)).toBe(true);
  });
});
