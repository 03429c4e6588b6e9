import { readFileSync } from 'node:fs';

/** Expectations published by other projects, where they lie beside the repository. */
export function publishedCases(name: string): URL {
  return new URL(`../../../shared/data/settlement/${name}`, import.meta.url);
}

export function readCases<T>(file: URL): T[] {
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: T[] }).cases;
}

/** Splits off what does not apply, by reason; the reasons and their ids become tests, so that a report shows them. */
export function partition<T extends { id: string }>(
  cases: T[],
  reasonToLeaveOut: (each: T) => string | null,
) {
  const applicable = cases.filter((each) => reasonToLeaveOut(each) === null);
  const left = cases.filter((each) => reasonToLeaveOut(each) !== null);
  const reasons = Map.groupBy(left, (each) => reasonToLeaveOut(each) ?? '');
  const leftOut = [...reasons].map(
    ([reason, all]) => [all.length, reason, all.map(({ id }) => id).join(' ')] as const,
  );
  return { applicable, leftOut };
}
