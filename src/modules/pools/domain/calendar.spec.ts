import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  buyBackUntil,
  formatWeekId,
  nextWeekId,
  parseWeekId,
  previousWeekId,
  weekBounds,
  weekIdAt,
} from './calendar.js';

const HOUR = 3_600_000;
const NEW_YORK = 'America/New_York';

const anyInstant = fc.date({
  min: new Date('1990-01-01T00:00:00Z'),
  max: new Date('2090-01-01T00:00:00Z'),
  noInvalidDate: true,
});
const anyZone = fc.constantFrom(
  NEW_YORK,
  'UTC',
  'Africa/Douala',
  'Europe/London',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
);

describe('the week of an instant', () => {
  it.each([
    ['2025-03-31T03:59:59.999Z', NEW_YORK, 202513],
    ['2025-03-31T04:00:00.000Z', NEW_YORK, 202514],
    ['2025-04-07T03:59:59.999Z', NEW_YORK, 202514],
    ['2025-04-07T04:00:00.000Z', NEW_YORK, 202515],
    ['2025-04-07T03:30:00.000Z', 'UTC', 202515],
    ['2024-12-30T05:00:00.000Z', NEW_YORK, 202501],
    ['2024-12-30T04:59:59.999Z', NEW_YORK, 202452],
    ['2027-01-01T12:00:00.000Z', NEW_YORK, 202653],
    ['2021-01-03T12:00:00.000Z', NEW_YORK, 202053],
    ['2023-01-01T12:00:00.000Z', NEW_YORK, 202252],
  ])('%s in %s is %i', (instant, zone, weekId) => {
    expect(weekIdAt(new Date(instant), zone)).toBe(weekId);
  });

  it('is New York’s unless told', () => {
    expect(weekIdAt(new Date('2025-04-07T03:59:59.999Z'))).toBe(202514);
  });

  it('refuses an instant or a zone that is none', () => {
    expect(() => weekIdAt(new Date(Number.NaN))).toThrow(RangeError);
    expect(() => weekIdAt(new Date('2025-04-01T00:00:00Z'), 'Mars/Olympus')).toThrow(RangeError);
  });

  it('holds the instant between its bounds, in any zone', () => {
    fc.assert(
      fc.property(anyInstant, anyZone, (instant, zone) => {
        const { startsAt, endsAt } = weekBounds(weekIdAt(instant, zone), zone);
        expect(startsAt.getTime() <= instant.getTime() && instant.getTime() < endsAt.getTime()).toBe(true);
      }),
    );
  });
});

describe('the bounds of a week', () => {
  it.each([
    [202514, '2025-03-31T04:00:00.000Z', '2025-04-07T04:00:00.000Z', 168],
    [202510, '2025-03-03T05:00:00.000Z', '2025-03-10T04:00:00.000Z', 167],
    [202544, '2025-10-27T04:00:00.000Z', '2025-11-03T05:00:00.000Z', 169],
    [202501, '2024-12-30T05:00:00.000Z', '2025-01-06T05:00:00.000Z', 168],
    [202653, '2026-12-28T05:00:00.000Z', '2027-01-04T05:00:00.000Z', 168],
  ])('%i runs from %s to %s, %i hours', (weekId, startsAt, endsAt, hours) => {
    const bounds = weekBounds(weekId, NEW_YORK);
    expect([bounds.startsAt.toISOString(), bounds.endsAt.toISOString()]).toEqual([startsAt, endsAt]);
    expect((bounds.endsAt.getTime() - bounds.startsAt.getTime()) / HOUR).toBe(hours);
  });

  it('touch: a week ends where the next one starts', () => {
    fc.assert(
      fc.property(anyInstant, anyZone, (instant, zone) => {
        const weekId = weekIdAt(instant, zone);
        expect(weekBounds(weekId, zone).endsAt).toEqual(weekBounds(nextWeekId(weekId), zone).startsAt);
      }),
    );
  });

  it.each([202553, 202500, 202599, 25, 0, -1, 202514.5, Number.NaN])(
    'refuse %d, which is no week',
    (weekId) => {
      expect(() => weekBounds(weekId, NEW_YORK)).toThrow(RangeError);
      expect(() => nextWeekId(weekId)).toThrow(RangeError);
      expect(() => previousWeekId(weekId)).toThrow(RangeError);
      expect(() => formatWeekId(weekId)).toThrow(RangeError);
      expect(() => buyBackUntil(weekId, NEW_YORK)).toThrow(RangeError);
    },
  );

  it('refuse an unknown zone', () => {
    expect(() => weekBounds(202514, 'Mars/Olympus')).toThrow(RangeError);
  });
});

describe('neighbouring weeks', () => {
  it.each([
    [202513, 202514],
    [202452, 202501],
    [202652, 202653],
    [202653, 202701],
    [202053, 202101],
  ])('%i is followed by %i', (weekId, next) => {
    expect(nextWeekId(weekId)).toBe(next);
    expect(previousWeekId(next)).toBe(weekId);
  });
});

describe('a week in writing', () => {
  it.each([
    ['2025-W14', 202514],
    ['202514', 202514],
    ['2025-W01', 202501],
    ['2026-W53', 202653],
    ['2025-W53', null],
    ['202553', null],
    ['2025-W00', null],
    ['2025-W54', null],
    ['2025-14', null],
    ['2025W14', null],
    ['2025-w14', null],
    ['2025-W1', null],
    ['0000-W01', null],
    [' 202514', null],
    ['', null],
  ] as const)('%j is %j', (text, weekId) => {
    expect(parseWeekId(text)).toBe(weekId);
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(anyInstant, anyZone, (instant, zone) => {
        const weekId = weekIdAt(instant, zone);
        expect(parseWeekId(formatWeekId(weekId))).toBe(weekId);
        expect(parseWeekId(String(weekId))).toBe(weekId);
      }),
    );
  });

  it('pads the week', () => {
    expect(formatWeekId(202503)).toBe('2025-W03');
  });
});

describe('the end of buy-back', () => {
  it.each([
    [202514, '2025-04-05T03:59:59.999Z'],
    [202510, '2025-03-08T04:59:59.999Z'],
    [202544, '2025-11-01T03:59:59.999Z'],
  ])('of %i is %s: Friday 23:59:59.999 in New York', (weekId, until) => {
    expect(buyBackUntil(weekId, NEW_YORK).toISOString()).toBe(until);
  });
});
