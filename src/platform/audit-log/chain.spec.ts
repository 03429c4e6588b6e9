import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type ChainEntry,
  differences,
  digestOf,
  hashOfSeal,
  headOf,
  isUpTo,
  problemsOfSeal,
  type Seal,
  sealOf,
} from './chain.js';

const entry = (n: number, changes: Partial<ChainEntry> = {}): ChainEntry => ({
  id: `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`,
  tx: String(1000 + n),
  micros: '1696334400000000',
  actor: null,
  action: 'user.banned',
  subjectType: 'user',
  subjectId: 'a',
  details: '{"until": null}',
  requestId: null,
  ...changes,
});
const entries = (...numbers: number[]) => numbers.map((n) => entry(n)) as [ChainEntry, ...ChainEntry[]];
const chainOf = (...seals: [ChainEntry, ...ChainEntry[]][]) =>
  seals.reduce<Seal[]>((chain, content) => {
    const before = chain.at(-1);
    return [...chain, sealOf(content, before ? headOf(before) : null, '1696334400000001')];
  }, []);

describe('the digest of an entry', () => {
  it('is the SHA-256 of its columns as JSON, so that anyone can compute it', () => {
    const written =
      '["00000000-0000-7000-8000-000000000001","1001","1696334400000000",null,"user.banned","user","a","{\\"until\\": null}",null]';
    expect(digestOf(entry(1)).toString('hex')).toBe(createHash('sha256').update(written).digest('hex'));
  });

  it('is another one for every change of any column, and for text that moved from one to the next', () => {
    const text = fc.string({ unit: 'grapheme' });
    const any = fc.record({
      id: fc.uuid(),
      tx: fc.bigInt(0n, 2n ** 63n - 1n).map(String),
      micros: fc.bigInt(0n, 2n ** 53n).map(String),
      actor: fc.option(fc.uuid()),
      action: text,
      subjectType: text,
      subjectId: text,
      details: text,
      requestId: fc.option(text),
    });
    fc.assert(
      fc.property(any, any, (a, b) => {
        expect(digestOf(a).equals(digestOf(b))).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
    const moved = entry(1, { action: 'a', subjectType: 'bc' });
    expect(digestOf(moved)).not.toEqual(digestOf(entry(1, { action: 'ab', subjectType: 'c' })));
  });
});

describe('a seal', () => {
  const [first, second, third] = chainOf(entries(1, 2), entries(3), entries(4, 5, 6)) as [Seal, Seal, Seal];

  it('follows the one before it', () => {
    expect([first.number, first.previous, second.number, second.previous]).toEqual([1, null, 2, first.hash]);
    expect([third.first, third.last, third.entries]).toEqual([
      { id: entry(4).id, tx: '1004' },
      { id: entry(6).id, tx: '1006' },
      3,
    ]);
    expect(problemsOfSeal(first, null)).toEqual([]);
    expect(problemsOfSeal(second, headOf(first))).toEqual([]);
    expect(problemsOfSeal(third, headOf(second))).toEqual([]);
  });

  const resealed = (seal: Seal): Seal => ({ ...seal, hash: hashOfSeal(seal) });
  it.each<[string, Seal, Seal | null, string[]]>([
    ['that is missing', third, first, ['seal 2 is missing']],
    ['with all before it missing', third, null, ['seals 1 to 2 are missing']],
    [
      'that follows another one',
      resealed({ ...second, previous: Buffer.alloc(32) }),
      first,
      ['it does not follow the seal before it'],
    ],
    ['whose count was changed', { ...second, entries: 2 }, first, ['hash', 'digests']],
    ['whose end was moved', { ...second, last: { id: entry(4).id, tx: '1004' } }, first, ['hash']],
    ['whose time was changed', { ...second, sealedMicros: '5' }, first, ['hash']],
    ['whose digests were changed', { ...second, digests: digestOf(entry(9)) }, first, ['digests']],
  ])('%s is found', (_, seal, before, problems) => {
    const found = problemsOfSeal(seal, before && headOf(before));
    expect(found).toEqual(problems.map((problem) => expect.stringContaining(problem)));
  });
});

describe('entries that are not those that were sealed', () => {
  const [{ digests }] = chainOf(entries(1, 2, 3, 4, 5)) as [Seal];
  const edited = (n: number) => entry(n, { action: 'user.unbanned' });
  const id = (n: number) => entry(n).id;

  it.each<[string, ChainEntry[], string[]]>([
    ['are none', entries(1, 2, 3, 4, 5), []],
    ['one edited', [...entries(1, 2), edited(3), ...entries(4, 5)], [`entry ${id(3)} was edited`]],
    ['one missing', entries(1, 2, 3, 5), ['entry 4 of 5 is missing']],
    ['the last ones missing', entries(1, 2, 3), ['entry 4 of 5 is missing', 'entry 5 of 5 is missing']],
    ['all missing', [], [1, 2, 3, 4, 5].map((n) => `entry ${n} of 5 is missing`)],
    ['one inserted', entries(1, 2, 7, 3, 4, 5), [`entry ${id(7)} was inserted`]],
    ['one inserted behind', entries(1, 2, 3, 4, 5, 7), [`entry ${id(7)} was inserted`]],
    [
      'one edited and one behind it inserted',
      [edited(1), ...entries(7, 2, 3, 4, 5)],
      [`entry ${id(1)} was edited`, `entry ${id(7)} was inserted`],
    ],
    [
      'one edited and its neighbour missing',
      [...entries(1), edited(2), ...entries(4, 5)],
      [`entry ${id(2)} was edited`, 'entry 3 of 5 is missing'],
    ],
  ])('%s', (_, found, problems) => {
    expect(differences(digests, found)).toEqual(problems);
  });

  it('are found whichever they are', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 7 })), (numbers) => {
        const sorted = numbers.toSorted((a, b) => a - b);
        const same = sorted.join() === '1,2,3,4,5';
        expect(
          differences(
            digests,
            sorted.map((n) => entry(n)),
          ).length === 0,
        ).toBe(same);
      }),
    );
  });
});

describe('the order of entries', () => {
  it.each([
    [{ tx: '9', id: 'b' }, { tx: '10', id: 'a' }, true],
    [{ tx: '10', id: 'a' }, { tx: '9', id: 'b' }, false],
    [{ tx: '10', id: 'a' }, { tx: '10', id: 'a' }, true],
    [{ tx: '10', id: 'a' }, { tx: '10', id: 'b' }, true],
    [{ tx: '10', id: 'b' }, { tx: '10', id: 'a' }, false],
  ])('%j is up to %j: %s', (a, b, is) => {
    expect(isUpTo(a, b)).toBe(is);
  });
});
