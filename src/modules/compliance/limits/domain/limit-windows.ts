import { DateTime } from 'luxon';
import type { LimitPeriod } from '../../../../platform/config/jurisdiction-rules.js';

const DAY_MS = 86_400_000;
const ROLLING = { day: DAY_MS, week: 7 * DAY_MS } as const;

/**
 * From when on something still counts, exclusively: what is exactly 24 hours old counts no more, what was booked in a month's first
 * moment counts in that month. Times are whole milliseconds.
 */
export function windowAfter(period: LimitPeriod, now: Date): Date {
  if (period !== 'month') return new Date(now.getTime() - ROLLING[period]);
  return new Date(monthOf(now).toMillis() - 1);
}

/** When something that was booked then counts no more. */
export function leavesAt(period: LimitPeriod, at: Date): Date {
  if (period !== 'month') return new Date(at.getTime() + ROLLING[period]);
  return monthOf(at).plus({ months: 1 }).toJSDate();
}

function monthOf(at: Date): DateTime {
  return DateTime.fromJSDate(at, { zone: 'utc' }).startOf('month');
}
