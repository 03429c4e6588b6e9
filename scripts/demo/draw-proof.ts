import { createHash, createHmac } from 'node:crypto';
import type { DrawDto } from '../../src/modules/pools/dto/weeks.dto.js';

/**
 * Replays a draw from what `GET weeks/:id/draw` publishes, by the published description alone: nothing of the product's
 * own code is used. Returns what does not fit; a fair draw gives an empty list.
 *
 * @param committed the seed's hash as it was shown before the draw
 * @param expected the ids of those who hold a pass
 */
export function checkDraw(draw: DrawDto, committed: string, expected: readonly string[]): string[] {
  const faults: string[] = [];
  const seed = Buffer.from(draw.seed ?? '', 'hex');
  if (draw.seedHash !== committed) faults.push('the hash of the seed changed after it was published');
  if (sha256(seed) !== draw.seedHash) faults.push('the seed is not the one whose hash was published');

  const ids = draw.entries.map(({ userId }) => userId).toSorted();
  if (ids.join() !== [...expected].toSorted().join())
    faults.push('the entries are not those who hold a pass');
  if (sha256(ids.join('\n')) !== draw.entriesHash)
    faults.push('the entries do not have the hash that was published');

  const order = replay(ids, seed);
  const pools = sizesOf(ids.length, draw.maxSize ?? 0, draw.fill).flatMap((size, pool) =>
    Array.from({ length: size }, () => pool),
  );
  const byId = new Map(draw.entries.map((entry) => [entry.userId, entry]));
  const names = new Map<number, string>();
  for (const [index, id] of order.entries()) {
    const entry = byId.get(id);
    const pool = pools[index] ?? -1;
    const name = names.get(pool) ?? entry?.pool ?? '';
    names.set(pool, name);
    if (entry?.drawPosition !== index + 1 || entry.pool !== name)
      return [...faults, `place ${index + 1} of the draw belongs to ${id}, in pool ${name}`];
  }
  if (new Set(names.values()).size !== names.size) faults.push('two pools of the draw have one name');
  return faults;
}

/** Fisher-Yates from the end; numbers are 4-byte words of HMAC-SHA256(seed, counter), those that would favour some thrown away. */
function replay(ids: readonly string[], seed: Buffer): string[] {
  const items = [...ids];
  const words = wordsFrom(seed);
  for (let last = items.length - 1; last > 0; last -= 1) {
    const bound = last + 1;
    let word: number;
    do word = words.next().value;
    while (word >= 2 ** 32 - (2 ** 32 % bound));
    const other = word % bound;
    [items[last], items[other]] = [items[other] as string, items[last] as string];
  }
  return items;
}

function* wordsFrom(seed: Buffer): Generator<number, never> {
  for (let counter = 0n; ; counter += 1n) {
    const message = Buffer.from(counter.toString(16).padStart(16, '0'), 'hex');
    const block = createHmac('sha256', seed).update(message).digest();
    for (let at = 0; at < block.length; at += 4) yield block.readUInt32BE(at);
  }
}

/** As few pools as hold all; `even`: sizes differ by one at most, `full`: all but the last are full. */
function sizesOf(players: number, max: number, fill: string | null): number[] {
  const pools = Math.ceil(players / max);
  return Array.from({ length: pools }, (_, pool) =>
    fill === 'full' ? Math.min(max, players - pool * max) : Math.ceil((players - pool) / pools),
  );
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
