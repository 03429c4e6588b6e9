/** How long wrong attempts lock, in seconds. */
export interface Waits {
  first: number;
  max: number;
  /** How often the first is doubled until it is the longest; what was wrong beyond that is not remembered. */
  doublings: number;
}

export function waitsOf({
  firstSeconds: first,
  maxSeconds: max,
}: {
  firstSeconds: number;
  maxSeconds: number;
}): Waits {
  return { first, max, doublings: Math.max(0, Math.ceil(Math.log2(max / first))) };
}
