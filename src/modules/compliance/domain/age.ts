import { DateTime } from 'luxon';

const DAY_MS = 86_400_000;

/**
 * Since or from when who was born on that day is so many years old: the midnight with which that birthday begins in the zone. Who was born
 * on 29 February has it on 1 March in other years.
 */
export function ofAgeAt(birthDate: string, years: number, zone: string): Date {
  const born = DateTime.fromISO(birthDate, { zone });
  const sameDay = born.plus({ years });
  const birthday = sameDay.day === born.day ? sameDay : sameDay.plus({ days: 1 });
  return birthday.startOf('day').toJSDate();
}

/** Whether it is beyond doubt in every zone, which is told without a calendar. */
export function isLongOfAge(birthDate: string, years: number, now: Date): boolean {
  return Date.parse(birthDate) + (years * 366 + 2) * DAY_MS <= now.getTime();
}
