/**
 * A line in whole quarters of a point, so that grading compares integers: `-2.5` → −10, `+1.25` → 5, `47.00` → 188.
 * Throws RangeError when it is missing, not a plain decimal, or not in steps of a quarter.
 */
export function quarterUnits(line: string | null): number {
  const digits = /^([+-]?)(\d{1,6})(?:\.(\d{1,6}))?$/.exec(line ?? '');
  if (digits === null) throw new RangeError(`not a line: ${JSON.stringify(line)}`);
  const [, sign, whole, places = ''] = digits;
  const quarter = QUARTERS.get(places.replace(/0+$/, ''));
  if (quarter === undefined) throw new RangeError(`a line moves in quarters: ${line}`);
  const quarters = 4 * Number(whole) + quarter;
  // Not a plain negation: it would make −0 of "-0".
  return sign === '-' ? 0 - quarters : quarters;
}

const QUARTERS: ReadonlyMap<string, number> = new Map([
  ['', 0],
  ['25', 1],
  ['5', 2],
  ['75', 3],
]);
