import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { endsLater, exclusionEnd, returnsAt } from './exclusion-term.js';

const at = (text: string) => new Date(text);

describe('the end of an exclusion', () => {
  it.each([
    ['2023-10-03T12:00:00Z', { months: 6 }, '2024-04-04T00:00:00Z'],
    ['2023-10-03T12:00:00Z', {}, '2024-04-04T00:00:00Z'],
    ['2023-10-03T00:00:00Z', { months: 6 }, '2024-04-04T00:00:00Z'],
    ['2023-10-03T23:59:59.999Z', { months: 12 }, '2024-10-04T00:00:00Z'],
    ['2023-08-31T12:00:00Z', { months: 6 }, '2024-03-01T00:00:00Z'], // February has no 31st
    ['2023-10-03T12:00:00Z', { months: 6, permanent: false }, '2024-04-04T00:00:00Z'],
  ])('declared at %s for %j is %s', (now, term, end) => {
    expect(exclusionEnd(at(now), term)).toEqual(at(end));
  });

  it('never comes when it is permanent, whatever months are told as well', () => {
    expect(exclusionEnd(at('2023-10-03T12:00:00Z'), { permanent: true })).toBeNull();
    expect(exclusionEnd(at('2023-10-03T12:00:00Z'), { months: 6, permanent: true })).toBeNull();
  });

  it('is later the longer it was asked for, and the same whenever on a day it is asked', () => {
    const day = fc.date({
      min: at('2020-01-01T00:00:00Z'),
      max: at('2060-01-01T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(day, fc.integer({ min: 6, max: 600 }), (now, months) => {
        const end = exclusionEnd(now, { months });
        const morning = at(`${now.toISOString().slice(0, 10)}T00:00:00Z`);
        expect(exclusionEnd(morning, { months })).toEqual(end);
        expect(endsLater(exclusionEnd(now, { months: months + 1 }), end)).toBe(true);
      }),
    );
  });
});

describe('of two ends', () => {
  it.each([
    ['2024-01-02', '2024-01-01', true],
    ['2024-01-01', '2024-01-01', false],
    ['2024-01-01', '2024-01-02', false],
    [null, '2024-01-01', true],
    ['2024-01-01', null, false],
    [null, null, false],
  ])('%s is later than %s: %s', (end, other, later) => {
    expect(endsLater(end === null ? null : at(end), other === null ? null : at(other))).toBe(later);
  });
});

it('lets nobody return before a day has passed', () => {
  expect(returnsAt(at('2024-04-04T10:00:00Z'))).toEqual(at('2024-04-05T10:00:00Z'));
});
