import { createHash, createHmac, createSecretKey } from 'node:crypto';

/** The seed's length: 256 bits, from a CSPRNG. */
export const SEED_BYTES = 32;

const UINT32_RANGE = 2 ** 32;
const WORDS_PER_BLOCK = 8;

/**
 * SHA-256, in hex, of the entrants' ids joined by a line feed (none at the end): published before the draw, so that
 * the list cannot change after the seed is known. Throws RangeError unless the ids are in strictly ascending order of
 * their code units (as Postgres sorts UUIDs), which also finds an id that entered twice.
 */
export function entriesHash(userIds: readonly string[]): string {
  const hash = createHash('sha256');
  userIds.forEach((id, i) => {
    const before = userIds[i - 1];
    if (before !== undefined && before >= id)
      throw new RangeError(`entries are not sorted, or not unique, at ${id}`);
    hash.update(before === undefined ? id : `\n${id}`);
  });
  return hash.digest('hex');
}

/** SHA-256, in hex, of the seed's 32 bytes: published before the draw, the seed itself after it. */
export function seedHash(seed: Uint8Array): string {
  assertSeed(seed);
  return createHash('sha256').update(seed).digest('hex');
}

/**
 * The draw: the same items and seed give the same order for ever, so that anyone can replay it.
 *
 * 1. Random words. Block `c` (c = 0, 1, 2, …) is HMAC-SHA256 with the seed's 32 bytes as its key and `c` as 8 bytes,
 *    big endian, unsigned, as its message. Its 32 bytes are 8 words of 4 bytes, big endian, unsigned, taken from the
 *    first to the last; then comes block `c + 1`.
 * 2. A number below `n`: the next word `x`; when `x ≥ ⌊2³² / n⌋ · n` it is thrown away and the one after it is taken,
 *    and so on; the number is `x mod n`.
 * 3. Fisher–Yates, from the end: for `i` = length − 1 down to 1, `j` = a number below `i + 1`; items `i` and `j` are
 *    exchanged. Words are used by nothing else.
 *
 * Returns a new array. Throws RangeError when the seed is not 32 bytes.
 */
export function shuffle<T>(items: readonly T[], seed: Uint8Array): T[] {
  assertSeed(seed);
  const drawn = [...items];
  const numberBelow = numbersFrom(seed);
  for (let i = drawn.length - 1; i >= 1; i--) {
    const j = numberBelow(i + 1);
    const moved = drawn[i] as T;
    drawn[i] = drawn[j] as T;
    drawn[j] = moved;
  }
  return drawn;
}

function numbersFrom(seed: Uint8Array): (bound: number) => number {
  const key = createSecretKey(seed); // prepared once: a block then costs a fifth
  const counter = Buffer.alloc(8);
  let nextBlock = 0n;
  let block = Buffer.alloc(0);
  let word = WORDS_PER_BLOCK;

  const nextWord = (): number => {
    if (word === WORDS_PER_BLOCK) {
      counter.writeBigUInt64BE(nextBlock++);
      block = createHmac('sha256', key).update(counter).digest();
      word = 0;
    }
    return block.readUInt32BE(4 * word++);
  };

  return (bound) => {
    // Words past the last whole multiple would favour the low numbers.
    const limit = Math.floor(UINT32_RANGE / bound) * bound;
    let candidate = nextWord();
    while (candidate >= limit) candidate = nextWord();
    return candidate % bound;
  };
}

function assertSeed(seed: Uint8Array): void {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a seed has ${SEED_BYTES} bytes, got ${seed.length}`);
}
