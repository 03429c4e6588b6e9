import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { planPools, poolName, poolSizes } from './pool-plan.js';

describe('pool sizes', () => {
  it.each([
    [0, 100, 'even', []],
    [0, 100, 'full', []],
    [1, 100, 'even', [1]],
    [100, 100, 'even', [100]],
    [101, 100, 'even', [51, 50]],
    [101, 100, 'full', [100, 1]],
    [250, 100, 'even', [84, 83, 83]],
    [250, 100, 'full', [100, 100, 50]],
    [3, 1, 'even', [1, 1, 1]],
  ] as const)('%i players, at most %i, %s: %j', (players, max, fill, sizes) => {
    expect(poolSizes(players, max, fill)).toEqual(sizes);
  });

  it.each([
    [-1, 100],
    [1.5, 100],
    [10, 0],
    [10, 2.5],
    [Number.NaN, 100],
  ])('refuses %d players in pools of %d', (players, max) => {
    expect(() => poolSizes(players, max, 'even')).toThrow(RangeError);
  });

  it('hold everyone, in as few pools as can be, none too large, even ones within one of each other', () => {
    fc.assert(
      fc.property(
        fc.nat(5000),
        fc.integer({ min: 1, max: 200 }),
        fc.constantFrom('even' as const, 'full' as const),
        (players, max, fill) => {
          const sizes = poolSizes(players, max, fill);
          expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(players);
          expect(sizes).toHaveLength(Math.ceil(players / max));
          expect(sizes.every((size) => size >= 1 && size <= max)).toBe(true);
          expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
          const spread = fill === 'even' ? Math.max(...sizes) - Math.min(...sizes) : 0;
          expect(spread).toBeLessThan(2);
        },
      ),
    );
  });
});

describe('pool names', () => {
  it.each([
    [202514, 0, 'W2025-14-A'],
    [202514, 25, 'W2025-14-Z'],
    [202514, 26, 'W2025-14-AA'],
    [202514, 27, 'W2025-14-AB'],
    [202514, 51, 'W2025-14-AZ'],
    [202514, 52, 'W2025-14-BA'],
    [202514, 701, 'W2025-14-ZZ'],
    [202514, 702, 'W2025-14-AAA'],
    [202501, 0, 'W2025-01-A'],
  ])('of week %i, pool %i is %s', (weekId, index, name) => {
    expect(poolName(weekId, index)).toBe(name);
  });

  it('refuse an index or a week that is none', () => {
    expect(() => poolName(202514, -1)).toThrow(RangeError);
    expect(() => poolName(202514, 0.5)).toThrow(RangeError);
    expect(() => poolName(202553, 0)).toThrow(RangeError);
  });

  it('are all different', () => {
    const names = Array.from({ length: 2000 }, (_, i) => poolName(202514, i));
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('the plan of a week', () => {
  it('cuts the draw into pools, in order, and numbers it from 1', () => {
    expect(planPools(202514, ['c', 'a', 'e', 'b', 'd'], { max: 2, fill: 'full' })).toEqual([
      {
        name: 'W2025-14-A',
        index: 0,
        members: [
          { userId: 'c', drawPosition: 1 },
          { userId: 'a', drawPosition: 2 },
        ],
      },
      {
        name: 'W2025-14-B',
        index: 1,
        members: [
          { userId: 'e', drawPosition: 3 },
          { userId: 'b', drawPosition: 4 },
        ],
      },
      { name: 'W2025-14-C', index: 2, members: [{ userId: 'd', drawPosition: 5 }] },
    ]);
  });

  it('seats everyone exactly once', () => {
    const drawn = Array.from({ length: 1234 }, (_, i) => `user-${i}`);
    const pools = planPools(202514, drawn, { max: 100, fill: 'even' });
    const seats = pools.flatMap(({ members }) => members);
    expect(seats.map(({ userId }) => userId)).toEqual(drawn);
    expect(seats.map(({ drawPosition }) => drawPosition)).toEqual(drawn.map((_, i) => i + 1));
  });

  it('of nobody is empty', () => {
    expect(planPools(202514, [], { max: 100, fill: 'even' })).toEqual([]);
  });
});
