import { describe, expect, it } from '@jest/globals';
import { askAgainAt } from './asking.js';

const NOON = new Date(Date.UTC(2023, 9, 3, 12));

describe('a provider that has no word', () => {
  it('is asked again later each time, but four times a day at least', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 40].map(
      (asked) => (askAgainAt(NOON, asked, 15).getTime() - NOON.getTime()) / 60_000,
    );
    expect(waits).toEqual([15, 30, 60, 120, 240, 360, 360, 360]);
  });
});
