import { describe, expect, it } from '@jest/globals';
import { minutesBetweenChecks, realityCheckDueAt, wholeMinutes } from './reality-check.js';

const at = (text: string) => new Date(text);

describe('a reality check', () => {
  it.each([
    ['2023-10-03T12:00:00Z', 60, '2023-10-03T13:00:00Z'],
    ['2023-10-03T23:59:59.999Z', 5, '2023-10-04T00:04:59.999Z'],
    ['2023-11-05T05:30:00Z', 60, '2023-11-05T06:30:00Z'], // clocks go back in New York: an hour stays an hour
  ])('that counts from %s, every %i minutes, is due at %s', (from, minutes, due) => {
    expect(realityCheckDueAt(at(from), minutes)).toEqual(at(due));
  });

  it.each([
    [60, null, 60],
    [60, 30, 30],
    [30, 60, 30],
    [30, 30, 30],
  ])('comes every %i minutes of the place, %s of the session: %i', (place, session, minutes) => {
    expect(minutesBetweenChecks(place, session)).toBe(minutes);
  });
});

it.each([
  ['2023-10-03T12:00:00Z', '2023-10-03T12:00:59.999Z', 0],
  ['2023-10-03T12:00:00Z', '2023-10-03T12:01:00Z', 1],
  ['2023-10-03T12:00:00Z', '2023-10-04T12:00:30Z', 1440],
  ['2023-10-03T12:00:00Z', '2023-10-03T11:00:00Z', 0],
])('from %s to %s are %i whole minutes', (from, to, minutes) => {
  expect(wholeMinutes(at(from), at(to))).toBe(minutes);
});
