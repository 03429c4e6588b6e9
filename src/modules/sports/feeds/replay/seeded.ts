/** A number in [0, 1) that only its seeds decide: the same in every process and for ever. */
export function chance(...seeds: readonly number[]): number {
  let state = 0x9e3779b9;
  for (const seed of seeds) {
    // Whole numbers beyond 32 bits count whole.
    for (const part of [seed >>> 0, Math.floor(seed / 0x1_0000_0000) >>> 0]) {
      state = Math.imul(state ^ part, 0x85ebca6b);
      state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
      state ^= state >>> 16;
    }
  }
  return (state >>> 0) / 0x1_0000_0000;
}

/** A smooth walk between −1 and 1 that is known at any `position` without going there step by step. */
export function walk(position: number, ...seeds: readonly number[]): number {
  const step = Math.floor(position);
  const part = position - step;
  const smooth = part * part * (3 - 2 * part);
  const from = 2 * chance(...seeds, step) - 1;
  const to = 2 * chance(...seeds, step + 1) - 1;
  return from + (to - from) * smooth;
}
