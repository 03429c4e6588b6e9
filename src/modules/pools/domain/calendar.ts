import { DateTime } from 'luxon';

/** Where weeks turn unless the rules say otherwise. */
export const DEFAULT_ZONE = 'America/New_York';

/** A week of play, `[startsAt, endsAt)`: 168 hours, or 167 or 169 where the clocks change. */
export interface WeekBounds {
  readonly startsAt: Date;
  readonly endsAt: Date;
}

/**
 * The id of the week that `instant` falls in: ISO week-year × 100 + ISO week, Monday 00:00 to Monday 00:00 of the zone.
 * 1 January 2027 is in 202653. Throws RangeError on an invalid instant or zone.
 */
export function weekIdAt(instant: Date, zone: string = DEFAULT_ZONE): number {
  return idOf(valid(DateTime.fromJSDate(instant, { zone }), zone));
}

/** When the week begins and ends. Throws RangeError when there is no such week or zone. */
export function weekBounds(weekId: number, zone: string = DEFAULT_ZONE): WeekBounds {
  return {
    startsAt: dayOf(weekId, 1, zone).toJSDate(),
    endsAt: dayOf(nextWeekId(weekId), 1, zone).toJSDate(),
  };
}

/** The week after: 202453 does not exist, so 202452 is followed by 202501. Throws RangeError when there is no such week. */
export function nextWeekId(weekId: number): number {
  return idOf(dayOf(weekId, 1, 'utc').plus({ weeks: 1 }));
}

/** The week before. Throws RangeError when there is no such week. */
export function previousWeekId(weekId: number): number {
  return idOf(dayOf(weekId, 1, 'utc').minus({ weeks: 1 }));
}

/** How many weeks there are from one to another, both counted. Throws RangeError when there is no such week. */
export function countWeeks(first: number, last: number): number {
  return Math.round(dayOf(last, 1, 'utc').diff(dayOf(first, 1, 'utc'), 'weeks').weeks) + 1;
}

/** Reads `2025-W14` or `202514`; null for anything else, also for a week 53 in a year that has 52. */
export function parseWeekId(text: string): number | null {
  const digits = /^(\d{4})(?:-W)?(\d{2})$/.exec(text);
  if (digits === null) return null;
  const weekId = Number(digits[1]) * 100 + Number(digits[2]);
  return isWeekId(weekId) ? weekId : null;
}

/** Writes 202514 as `2025-W14`. Throws RangeError when there is no such week. */
export function formatWeekId(weekId: number): string {
  const { year, week } = partsOf(weekId);
  return `${year}-W${String(week).padStart(2, '0')}`;
}

/** The last millisecond in which the week's buy-back may be asked for: Friday 23:59:59.999 of the zone. */
export function buyBackUntil(weekId: number, zone: string = DEFAULT_ZONE): Date {
  return new Date(dayOf(weekId, 6, zone).toMillis() - 1);
}

function isWeekId(weekId: number): boolean {
  if (!Number.isSafeInteger(weekId) || weekId < 1970_01 || weekId > 9998_52) return false;
  const week = weekId % 100;
  // 28 December is always in its year's last ISO week.
  return week >= 1 && week <= DateTime.utc(Math.floor(weekId / 100), 12, 28).weekNumber;
}

function partsOf(weekId: number): { year: number; week: number } {
  if (!isWeekId(weekId)) throw new RangeError(`not a week: ${weekId}`);
  return { year: Math.floor(weekId / 100), week: weekId % 100 };
}

function dayOf(weekId: number, weekday: 1 | 6, zone: string): DateTime<true> {
  const { year, week } = partsOf(weekId);
  const day = DateTime.fromObject({ weekYear: year, weekNumber: week, weekday }, { zone });
  return valid(day, zone).startOf('day');
}

function idOf(instant: DateTime<true>): number {
  return instant.weekYear * 100 + instant.weekNumber;
}

function valid(instant: DateTime, zone: string): DateTime<true> {
  if (!instant.isValid)
    throw new RangeError(`${instant.invalidExplanation ?? instant.invalidReason} (zone ${zone})`);
  return instant as DateTime<true>;
}
