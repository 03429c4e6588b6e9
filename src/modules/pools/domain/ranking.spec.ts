import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { rankMembers } from './ranking.js';

const table = (members: { userId: string; credits: number | bigint }[]) =>
  rankMembers(members).map(({ userId, rank }) => `${rank} ${userId}`);

describe('a table', () => {
  it('shares a rank among equals and skips the next: 1, 2, 2, 4', () => {
    const members = [
      { userId: 'd', credits: 10 },
      { userId: 'c', credits: 700 },
      { userId: 'a', credits: 1500 },
      { userId: 'b', credits: 700 },
    ];
    expect(table(members)).toEqual(['1 a', '2 b', '2 c', '4 d']);
  });

  it('ranks debts below nothing', () => {
    const members = [
      { userId: 'a', credits: -5 },
      { userId: 'b', credits: 0 },
    ];
    expect(table(members)).toEqual(['1 b', '2 a']);
  });

  it('takes numbers and bigints alike', () => {
    const members = [
      { userId: 'a', credits: 9n },
      { userId: 'b', credits: 10 },
      { userId: 'c', credits: 10n },
    ];
    expect(table(members)).toEqual(['1 b', '1 c', '3 a']);
  });

  it('of nobody is empty', () => {
    expect(rankMembers([])).toEqual([]);
  });

  it('refuses credits that are not whole', () => {
    expect(() => rankMembers([{ userId: 'a', credits: 0.5 }])).toThrow(RangeError);
    expect(() => rankMembers([{ userId: 'a', credits: Number.NaN }])).toThrow(RangeError);
  });

  it('keeps what else a member carries, and leaves its input alone', () => {
    const members = Object.freeze([Object.freeze({ userId: 'a', credits: 1, handle: 'ada' })]);
    expect(rankMembers(members)).toEqual([{ userId: 'a', credits: 1, handle: 'ada', rank: 1 }]);
  });

  it('ranks each by how many have more, and is the same whatever the order of reading', () => {
    const members = fc.uniqueArray(
      fc.record({ userId: fc.uuid(), credits: fc.integer({ min: -3, max: 6 }) }),
      {
        selector: ({ userId }) => userId,
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(members, (all) => {
        const ranked = rankMembers(all);
        for (const { rank, credits } of ranked) {
          expect(rank).toBe(1 + all.filter((other) => other.credits > credits).length);
        }
        expect(rankMembers(all.toReversed())).toEqual(ranked);
      }),
    );
  });
});
