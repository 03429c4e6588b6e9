import { formatWeekId } from './calendar.js';

/** `even`: pools as equal as can be. `full`: max, max, …, rest. */
export type PoolFill = 'even' | 'full';

export interface PlannedPool {
  /** `W2025-14-A` */
  readonly name: string;
  /** 0 for the first pool of the week. */
  readonly index: number;
  readonly members: readonly PlannedMember[];
}

export interface PlannedMember {
  readonly userId: string;
  /** The place in the whole draw, from 1: unique in the week, so that it also breaks ties between minor units. */
  readonly drawPosition: number;
}

/**
 * The sizes of as few pools as hold all players, none above `max`. Even sizes differ by one at most, the larger first.
 * No players, no pools. Throws RangeError unless `players` is a non-negative and `max` a positive integer.
 */
export function poolSizes(players: number, max: number, fill: PoolFill): number[] {
  if (!Number.isSafeInteger(players) || players < 0)
    throw new RangeError(`not a number of players: ${players}`);
  if (!Number.isSafeInteger(max) || max < 1) throw new RangeError(`not a pool size: ${max}`);
  const pools = Math.ceil(players / max);
  if (fill === 'full') return Array.from({ length: pools }, (_, i) => Math.min(max, players - i * max));
  const base = Math.floor(players / pools);
  const larger = players % pools;
  return Array.from({ length: pools }, (_, i) => (i < larger ? base + 1 : base));
}

/**
 * `W2025-14-A` for the week's first pool, then `-B` … `-Z`, `-AA`, `-AB` …. Throws RangeError when there is no such
 * week, or the index is no non-negative integer.
 */
export function poolName(weekId: number, index: number): string {
  if (!Number.isSafeInteger(index) || index < 0) throw new RangeError(`not the index of a pool: ${index}`);
  let letters = '';
  for (let rest = index + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters;
  }
  return `W${formatWeekId(weekId).replace('-W', '-')}-${letters}`;
}

/** Cuts the drawn order (what `shuffle` returned) into named pools: the first players fill the first pool. */
export function planPools(
  weekId: number,
  drawn: readonly string[],
  { max, fill }: { max: number; fill: PoolFill },
): PlannedPool[] {
  let taken = 0;
  return poolSizes(drawn.length, max, fill).map((size, index) => {
    const from = taken;
    taken += size;
    const members = drawn.slice(from, taken).map((userId, i) => ({ userId, drawPosition: from + i + 1 }));
    return { name: poolName(weekId, index), index, members };
  });
}
