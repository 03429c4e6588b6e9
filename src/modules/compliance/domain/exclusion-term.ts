import { DateTime } from 'luxon';

/** The shortest exclusion (UKGC SR 3.5.5; AGCO 2.14). */
export const LEAST_MONTHS = 6;
/** How long somebody who wants to come back has to wait after saying so (UKGC SR 3.5.6). */
const RETURN_HOURS = 24;

/**
 * When an exclusion that is declared now ends, and null for ever: whole months later, at the end of that day in UTC. So it is never
 * shorter than what was asked for, and said twice it ends at the same time.
 */
export function exclusionEnd(now: Date, term: { months?: number; permanent?: boolean }): Date | null {
  if (term.permanent === true) return null;
  const last = DateTime.fromJSDate(now, { zone: 'utc' }).plus({ months: term.months ?? LEAST_MONTHS });
  return last.startOf('day').plus({ days: 1 }).toJSDate();
}

/** Whether one end comes later than the other: an exclusion can be made longer, never shorter. */
export function endsLater(end: Date | null, other: Date | null): boolean {
  return other !== null && (end === null || end > other);
}

/** From when somebody may stake again who asks for it now. */
export function returnsAt(now: Date): Date {
  return new Date(now.getTime() + RETURN_HOURS * 3_600_000);
}
