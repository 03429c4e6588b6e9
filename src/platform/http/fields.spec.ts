import { describe, expect, it } from '@jest/globals';
import { validateSync } from 'class-validator';
import { TimeField } from './fields.js';

class Timed {
  @TimeField()
  at: unknown;

  constructor(at: unknown) {
    this.at = at;
  }
}

const problems = (at: unknown): number => validateSync(new Timed(at)).length;

describe('TimeField', () => {
  it.each([
    '2023-10-08T17:00:00Z',
    '2023-10-08T17:00:00.5Z',
    '2023-10-08T17:00:00.000Z',
    '2023-10-08T17:00:00.123456789Z',
    '2024-02-29T23:59:59Z',
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999Z',
  ])('takes %s, which Date reads as it stands', (text) => {
    expect(problems(text)).toBe(0);
    expect(new Date(text).toISOString().slice(0, 19)).toBe(text.slice(0, 19));
  });

  it.each([
    ['an hour alone', '2023-10-08T17Z'],
    ['no seconds', '2023-10-08T17:00Z'],
    ['a day of the year', '2023-280T10:00:00Z'],
    ['a day of a week', '2023-W40-1T00:00:00Z'],
    ['a decimal comma', '2023-10-08T17:00:00,5Z'],
    ['a fraction of no digits', '2023-10-08T17:00:00.Z'],
    ['a fraction of ten digits', '2023-10-08T17:00:00.1234567890Z'],
    ['the basic format', '20231008T170000Z'],
    ['a year of six digits', '+002023-10-08T17:00:00Z'],
    ['30 February', '2023-02-30T00:00:00Z'],
    ['29 February of no leap year', '2023-02-29T00:00:00Z'],
    ['31 April', '2023-04-31T00:00:00Z'],
    ['month 13', '2023-13-01T00:00:00Z'],
    ['month 0', '2023-00-01T00:00:00Z'],
    ['day 0', '2023-10-00T00:00:00Z'],
    ['day 32', '2023-10-32T00:00:00Z'],
    ['hour 24', '2023-10-08T24:00:00Z'],
    ['minute 60', '2023-10-08T17:60:00Z'],
    ['second 60', '2023-10-08T17:00:60Z'],
    ['an offset', '2023-10-08T17:00:00+00:00'],
    ['no zone', '2023-10-08T17:00:00'],
    ['a small z', '2023-10-08T17:00:00z'],
    ['a space for the T', '2023-10-08 17:00:00Z'],
    ['a line behind it', '2023-10-08T17:00:00Z\n'],
    ['digits of another script', '２０２３-10-08T17:00:00Z'],
    ['a date', '2023-10-08'],
    ['nothing', ''],
    ['a number', 1_696_784_400_000],
    ['null', null],
    ['a list', ['2023-10-08T17:00:00Z']],
  ])('refuses %s', (_, value) => {
    expect(problems(value)).toBe(1);
  });
});
