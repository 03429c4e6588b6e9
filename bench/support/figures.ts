/** One figure beside its floor, printed as one line of JSON. */
export interface Figure {
  bench: string;
  metric: string;
  value: number;
  unit: string;
  floor?: number;
  ratio?: number;
  /** Without one it is told and judged by nobody. */
  target?: number;
  pass?: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const round = (value: number) => Number(value.toPrecision(4));

/** A figure that must reach a share of its floor; the ratio is the median of the rounds' own ratios. */
export function ratioFigure(
  name: { bench: string; metric: string; unit: string },
  rounds: readonly { value: number; floor: number }[],
  target: number,
): Figure {
  const ratio = round(median(rounds.map(({ value, floor }) => value / floor)));
  return {
    ...name,
    value: round(median(rounds.map(({ value }) => value))),
    floor: round(median(rounds.map(({ floor }) => floor))),
    ratio,
    target,
    pass: ratio >= target,
  };
}

/** A figure that must stay at or below a limit. */
export function limitFigure(
  name: { bench: string; metric: string; unit: string },
  values: readonly number[],
  target: number,
): Figure {
  const value = round(median(values));
  return { ...name, value, target, pass: value <= target };
}

/** A figure that nothing is asked of. */
export function plainFigure(
  name: { bench: string; metric: string; unit: string },
  values: readonly number[],
): Figure {
  return { ...name, value: round(median(values)) };
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
