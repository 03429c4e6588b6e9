import { describe, expect, it } from '@jest/globals';
import { isLongOfAge, ofAgeAt } from './age.js';

describe('ofAgeAt', () => {
  it.each([
    // born, years, zone, from
    ['2005-10-03', 18, 'UTC', '2023-10-03T00:00:00.000Z'],
    ['2005-10-03', 18, 'America/New_York', '2023-10-03T04:00:00.000Z'],
    ['2005-01-03', 18, 'America/New_York', '2023-01-03T05:00:00.000Z'],
    ['2005-10-03', 18, 'Etc/GMT+12', '2023-10-03T12:00:00.000Z'],
    ['2005-10-03', 18, 'Asia/Tokyo', '2023-10-02T15:00:00.000Z'],
    ['2002-10-03', 21, 'UTC', '2023-10-03T00:00:00.000Z'],
    ['2004-02-29', 18, 'UTC', '2022-03-01T00:00:00.000Z'],
    ['2004-02-29', 20, 'UTC', '2024-02-29T00:00:00.000Z'],
    // Midnight of that day does not exist there: the clocks go forward.
    ['1999-10-15', 19, 'America/Sao_Paulo', '2018-10-15T03:00:00.000Z'],
    ['1999-11-04', 19, 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
  ])('who is born on %s is %d in %s from %s', (born, years, zone, from) => {
    const at = new Date(from);
    expect(ofAgeAt(born, years, zone)).toEqual(at);
    expect(isLongOfAge(born, years, at)).toBe(false);
  });

  it('is beyond doubt some days later', () => {
    expect(isLongOfAge('2005-10-03', 18, new Date('2023-10-18T00:00:00Z'))).toBe(false);
    expect(isLongOfAge('2005-10-03', 18, new Date('2023-10-20T00:00:00Z'))).toBe(true);
    expect(isLongOfAge('nonsense', 18, new Date('2023-10-25T00:00:00Z'))).toBe(false);
  });
});
