import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { entriesHash, seedHash, shuffle } from './shuffle.js';

/** 00 01 02 … 1f */
const SEED = Uint8Array.from({ length: 32 }, (_, i) => i);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const seedNumber = (n: number) => createHash('sha256').update(`seed ${n}`).digest();
const range = (length: number) => Array.from({ length }, (_, i) => i);
const users = (count: number) => range(count).map((i) => `user-${String(i).padStart(6, '0')}`);

// The known answers come from a replay written in Python from the documentation of `shuffle` alone.
describe('the draw', () => {
  it('gives the known order of twenty', () => {
    const known = [12, 0, 10, 3, 5, 14, 18, 16, 6, 17, 2, 19, 11, 15, 4, 1, 8, 7, 9, 13];
    expect(shuffle(range(20), SEED)).toEqual(known);
  });

  // With this seed two words are rejected on the way.
  it('gives the known order of 100,000 in well under a second', () => {
    const entries = users(100_000);
    const start = performance.now();
    const drawn = shuffle(entries, new Uint8Array(32).fill(8));
    expect(performance.now() - start).toBeLessThan(2000);
    expect(sha256(drawn.join('\n'))).toBe('77ec66a1142f578798468d0537165050e6c33dcc15786e668b1ae8a8c547b94f');
  });

  it('draws nobody and one alone', () => {
    expect(shuffle([], SEED)).toEqual([]);
    expect(shuffle(['a'], SEED)).toEqual(['a']);
  });

  it('leaves its input alone', () => {
    const entries = Object.freeze(range(10));
    expect(shuffle(entries, SEED)).not.toEqual(entries);
  });

  it('refuses a seed that is not 256 bits', () => {
    expect(() => shuffle([1, 2], SEED.subarray(1))).toThrow(RangeError);
    expect(() => seedHash(new Uint8Array(0))).toThrow(RangeError);
  });

  it('is a permutation, and the same one each time', () => {
    const anySeed = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer(), { maxLength: 200 }), anySeed, (items, seed) => {
        const drawn = shuffle(items, seed);
        expect(drawn.toSorted((a, b) => a - b)).toEqual(items.toSorted((a, b) => a - b));
        expect(shuffle(items, seed)).toEqual(drawn);
      }),
    );
  });

  it('is uniform: each of ten players is as likely in each of ten places', () => {
    const draws = 5000;
    const counts = range(10).map(() => range(10).map(() => 0));
    for (const n of range(draws)) {
      shuffle(range(10), seedNumber(n)).forEach((player, place) => {
        const row = counts[player];
        if (row) row[place] = (row[place] ?? 0) + 1;
      });
    }
    const expected = draws / 10;
    const chiSquare = counts.flat().reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 81 degrees of freedom: 0.1 % of fair shuffles pass 126.1; the seeds are fixed, so this one never changes.
    expect(chiSquare).toBeLessThan(126.1);
  });

  it('is uniform over whole orders: each of the 24 of four comes as often', () => {
    const draws = 12_000;
    const counts = new Map<string, number>();
    for (const n of range(draws)) {
      const order = shuffle(range(4), seedNumber(n)).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const expected = draws / 24;
    const chiSquare = [...counts.values()].reduce(
      (sum, count) => sum + (count - expected) ** 2 / expected,
      0,
    );
    // 23 degrees of freedom: 0.1 % pass 49.7.
    expect(chiSquare).toBeLessThan(49.7);
  });
});

describe('what is published before the draw', () => {
  it('commits to the entries', () => {
    expect(entriesHash(['a', 'b', 'c'])).toBe(sha256('a\nb\nc'));
    expect(entriesHash([])).toBe(sha256(''));
    expect(entriesHash(users(100_000))).toBe(
      'ada297399f792f52b84ff3e49a25a2099ac27c5ae2c68824edcfcd0d8785a0c4',
    );
  });

  it('commits to the seed', () => {
    expect(seedHash(SEED)).toBe('630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd');
  });

  it.each([[['b', 'a']], [['a', 'a']], [['a', 'c', 'b']]])(
    'refuses %j: not sorted, or somebody twice',
    (ids) => {
      expect(() => entriesHash(ids)).toThrow(RangeError);
    },
  );
});
