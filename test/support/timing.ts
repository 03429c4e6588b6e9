/**
 * How surely two samples differ: the standard score of the Mann-Whitney test. By ranks, so that a pause of the machine
 * counts as one rank and not as its milliseconds. Of samples that do not differ, 1 pair in 15,000 scores above 4.
 */
export function differenceScore(a: readonly number[], b: readonly number[]): number {
  const ranked = [...a.map((value) => ({ value, ofA: true })), ...b.map((value) => ({ value, ofA: false }))]
    .toSorted((left, right) => left.value - right.value)
    .map((one, index) => ({ ...one, rank: index + 1 }));
  const rankSum = ranked.filter(({ ofA }) => ofA).reduce((sum, { rank }) => sum + rank, 0);
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const mean = (a.length * b.length) / 2;
  const deviation = Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12);
  return Math.abs(u - mean) / deviation;
}
