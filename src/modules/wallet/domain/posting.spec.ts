import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AccountRef, hashOf, type Posting, preparePosting } from './posting.js';

const account = (owner: string, currency = 'USD'): AccountRef => ({ kind: 'pot', owner, currency });
const posting = (...legs: [AccountRef, bigint][]): Posting => ({
  reference: 'a reference',
  type: 'test',
  legs: legs.map(([to, amount]) => ({ account: to, amount })),
});

describe('preparing a posting', () => {
  it.each([
    ['one leg', posting([account('a'), 1n]), 'a transfer has two legs at least'],
    [
      'an account twice',
      posting([account('a'), 1n], [account('a'), 1n], [account('b'), -2n]),
      'an account has one leg of a transfer',
    ],
    ['a leg of nothing', posting([account('a'), 0n], [account('b'), 0n]), 'a leg moves something'],
    [
      'held money',
      posting([{ ...account('a'), kind: 'user_held' }, 1n], [account('b'), -1n]),
      'held money is moved by its holds only',
    ],
    ['what is too large', posting([account('a'), 2n ** 63n], [account('b'), -(2n ** 63n)]), 'is too large'],
    [
      'a sum that is not zero',
      posting([account('a'), 2n], [account('b'), -1n]),
      'USD sums to 1, not to zero',
    ],
    [
      'currencies that are zero only together',
      posting([account('a'), 2n], [account('b', 'XAF'), -2n]),
      'USD sums to 2, not to zero',
    ],
  ])('refuses %s', (_, given, problem) => {
    expect(() => preparePosting(given)).toThrow(problem);
    expect(() => preparePosting(given)).toThrow(RangeError);
  });

  it('puts the legs in one order and gives one hash, however they are told', () => {
    const legs = fc
      .uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 5 }), fc.constantFrom('USD', 'XAF')), {
        minLength: 2,
        maxLength: 6,
        selector: String,
      })
      .chain((accounts) =>
        fc.record({
          accounts: fc.constant(accounts),
          order: fc.shuffledSubarray(accounts, { minLength: accounts.length }),
        }),
      );
    fc.assert(
      fc.property(legs, ({ accounts, order }) => {
        const full = (list: [string, string][]) => {
          const given: [AccountRef, bigint][] = list.map(([owner, currency]) => [
            account(owner, currency),
            7n,
          ]);
          for (const currency of new Set(list.map(([, each]) => each))) {
            const count = list.filter(([, each]) => each === currency).length;
            given.push([{ kind: 'clearing', owner: 'x', currency }, -7n * BigInt(count)]);
          }
          return preparePosting(posting(...given));
        };
        const [one, other] = [full(accounts), full(order)];
        expect(one.legs).toEqual(other.legs);
        expect(one.hash.equals(other.hash)).toBe(true);
      }),
    );
  });

  it('gives another hash to another amount, account or type, and the same to other metadata', () => {
    const base = posting([account('a'), 1n], [account('b'), -1n]);
    const hash = (given: Posting) => preparePosting(given).hash.toString('hex');
    expect(hash({ ...base, metadata: { n: 1 }, effectiveAt: new Date(0), requestedBy: 'x' })).toBe(
      hash(base),
    );
    const others = [
      posting([account('a'), 2n], [account('b'), -2n]),
      posting([account('a'), -1n], [account('b'), 1n]),
      posting([account('c'), 1n], [account('b'), -1n]),
      { ...base, type: 'other' },
    ].map(hash);
    expect(new Set([hash(base), ...others]).size).toBe(5);
  });
});

describe('hashing parts', () => {
  it('tells them apart', () => {
    const hashes = [hashOf('a', 'b'), hashOf('ab'), hashOf('a', 'b', ''), hashOf('b', 'a')];
    expect(new Set(hashes.map((hash) => hash.toString('hex'))).size).toBe(4);
  });
});
