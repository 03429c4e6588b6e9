import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { computePrizes, type PrizeMember } from './prizes.js';

/** Members in the order of their draw, each with its credits and having staked enough unless told. */
function membersOf(...credits: (number | [credits: number, staked: number])[]): PrizeMember[] {
  return credits.map((each, i) => {
    const [balance, staked] = Array.isArray(each) ? each : [each, 1000];
    return { userId: String.fromCharCode(97 + i), credits: balance, staked, drawPosition: i + 1 };
  });
}

const SPLIT = [50, 30, 20];
const paid = (pot: bigint, members: PrizeMember[], split: readonly number[] = SPLIT) => {
  const { awards, carryOver } = computePrizes({ pot, split, members, minStaked: 500 });
  return [
    ...awards.map(
      ({ userId, rankFrom, places, amount }) => `${rankFrom} ${userId} ${places.join()} ${amount}`,
    ),
    carryOver,
  ];
};

describe('prizes', () => {
  it('go to the first three', () => {
    expect(paid(100_000n, membersOf(100, 900, 500, 300))).toEqual([
      '1 b 1 50000',
      '2 c 2 30000',
      '3 d 3 20000',
      0n,
    ]);
  });

  it('move up past those who staked too little', () => {
    const members = membersOf([900, 499], [800, 500], 700, [650, 0], 600, 500);
    expect(paid(1000n, members)).toEqual(['1 b 1 500', '2 c 2 300', '3 e 3 200', 0n]);
  });

  it('are shared by the tied: two first share places 1 and 2, and nobody is second', () => {
    expect(paid(1000n, membersOf(900, 900, 500, 400))).toEqual([
      '1 a 1,2 400',
      '1 b 1,2 400',
      '3 c 3 200',
      0n,
    ]);
  });

  it('are shared by more than there are places left', () => {
    expect(paid(1000n, membersOf(900, 700, 500, 500, 500, 100))).toEqual([
      '1 a 1 500',
      '2 b 2 300',
      '3 c 3 67',
      '3 d 3 67',
      '3 e 3 66',
      0n,
    ]);
  });

  it('give the unit that does not divide to the lowest draw position, whatever the order of ids', () => {
    const members = [
      { userId: 'a', credits: 9, staked: 500, drawPosition: 30 },
      { userId: 'b', credits: 9, staked: 500, drawPosition: 7 },
      { userId: 'c', credits: 9, staked: 500, drawPosition: 12 },
    ];
    expect(paid(1001n, members)).toEqual(['1 b 1,2,3 334', '1 c 1,2,3 334', '1 a 1,2,3 333', 0n]);
  });

  it('give the unit that places leave to the largest remainder, the better place first', () => {
    expect(paid(101n, membersOf(3, 2, 1))).toEqual(['1 a 1 51', '2 b 2 30', '3 c 3 20', 0n]);
    expect(paid(1n, membersOf(1, 2, 3))).toEqual(['1 c 1 1', 0n]);
  });

  it('are paid whole to fewer winners than places, in proportion to the places they fill', () => {
    expect(paid(1000n, membersOf(900, 100))).toEqual(['1 a 1 625', '2 b 2 375', 0n]);
    expect(paid(1000n, membersOf(900, [100, 0]))).toEqual(['1 a 1 1000', 0n]);
    expect(paid(1000n, membersOf(900, 900))).toEqual(['1 a 1,2 500', '1 b 1,2 500', 0n]);
  });

  it('carry over when nobody may win', () => {
    expect(paid(1000n, membersOf([900, 499], [100, 0]))).toEqual([1000n]);
    expect(paid(1000n, [])).toEqual([1000n]);
  });

  it('of an empty pot are none', () => {
    expect(paid(0n, membersOf(3, 2, 1))).toEqual([0n]);
  });

  it('take bigints as they come from the database', () => {
    const members = [{ userId: 'a', credits: 9n, staked: 500n, drawPosition: 1 }];
    expect(computePrizes({ pot: 10n, split: [1], members, minStaked: 500n }).awards).toEqual([
      { userId: 'a', rankFrom: 1, places: [1], amount: 10n },
    ]);
  });

  it.each([
    [-1n, SPLIT],
    [1n, []],
    [1n, [50, 0]],
    [1n, [50, -1]],
    [1n, [33.3]],
    [1n, [Number.NaN]],
  ])('refuse a pot of %s by %j', (pot, split) => {
    expect(() => computePrizes({ pot, split, members: [], minStaked: 0 })).toThrow(RangeError);
  });
});

describe('whatever the pot, the split and the table', () => {
  const anyPool = fc.record({
    pot: fc.bigInt({ min: 0n, max: 10n ** 9n }),
    split: fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 }),
    minStaked: fc.constant(500),
    members: fc
      .array(
        fc.record({ credits: fc.integer({ min: -2, max: 8 }), staked: fc.constantFrom(0, 499, 500, 5000) }),
        {
          maxLength: 30,
        },
      )
      .map((all) => all.map((each, i) => ({ ...each, userId: `u${i}`, drawPosition: ((i * 7) % 31) + 1 }))),
  });

  it('the awards and what is carried over are the pot, to the last unit', () => {
    fc.assert(
      fc.property(anyPool, (pool) => {
        const { awards, carryOver } = computePrizes(pool);
        expect(awards.reduce((sum, { amount }) => sum + amount, carryOver)).toBe(pool.pot);
        const anyoneEligible = pool.members.some(({ staked }) => staked >= 500);
        expect(carryOver).toBe(anyoneEligible ? 0n : pool.pot);
      }),
    );
  });

  it('only the eligible are paid, each once, and the tied within one unit of each other', () => {
    fc.assert(
      fc.property(anyPool, (pool) => {
        const { awards } = computePrizes(pool);
        const staked = new Map(pool.members.map((member) => [member.userId, member.staked]));
        expect(awards.every(({ userId, amount }) => amount > 0n && (staked.get(userId) ?? 0) >= 500)).toBe(
          true,
        );
        expect(new Set(awards.map(({ userId }) => userId)).size).toBe(awards.length);
        for (const tied of Map.groupBy(awards, ({ rankFrom }) => rankFrom).values()) {
          const amounts = tied.map(({ amount }) => Number(amount));
          expect(Math.max(...amounts) - Math.min(...amounts)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('nobody gets less than somebody below, where the split never rises', () => {
    fc.assert(
      fc.property(anyPool, (pool) => {
        const split = pool.split.toSorted((a, b) => b - a);
        const { awards } = computePrizes({ ...pool, split });
        const amounts = new Map(awards.map(({ userId, amount }) => [userId, amount]));
        const eligible = pool.members.filter(({ staked }) => staked >= 500);
        const pairs = eligible.flatMap((a) =>
          eligible.filter((b) => a.credits > b.credits).map((b) => [a, b] as const),
        );
        for (const [above, below] of pairs) {
          expect((amounts.get(above.userId) ?? 0n) >= (amounts.get(below.userId) ?? 0n)).toBe(true);
        }
      }),
    );
  });

  it('the order in which members are read changes nothing', () => {
    fc.assert(
      fc.property(anyPool, (pool) => {
        expect(computePrizes({ ...pool, members: pool.members.toReversed() })).toEqual(computePrizes(pool));
      }),
    );
  });
});
