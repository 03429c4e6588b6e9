import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LimitPeriod } from '../../../../platform/config/jurisdiction-rules.js';
import { leavesAt, windowAfter } from './limit-windows.js';

const at = (text: string) => new Date(text);
const counts = (period: LimitPeriod, booked: string, now: string) =>
  at(booked) > windowAfter(period, at(now));

describe('what counts in a window', () => {
  it.each<[LimitPeriod, string, string, boolean]>([
    ['day', '2023-10-03T12:00:00.000Z', '2023-10-04T11:59:59.999Z', true],
    ['day', '2023-10-03T12:00:00.000Z', '2023-10-04T12:00:00.000Z', false], // exactly 24 hours
    ['day', '2023-10-03T12:00:00.000Z', '2023-10-03T12:00:00.000Z', true],
    ['day', '2023-10-29T00:30:00.000Z', '2023-10-30T00:29:59.999Z', true], // clocks go back in Europe
    ['day', '2023-10-29T00:30:00.000Z', '2023-10-30T00:30:00.000Z', false],
    ['day', '2024-03-10T06:00:00.000Z', '2024-03-11T06:00:00.000Z', false], // and forward in America
    ['week', '2023-10-03T12:00:00.000Z', '2023-10-10T11:59:59.999Z', true],
    ['week', '2023-10-03T12:00:00.000Z', '2023-10-10T12:00:00.000Z', false],
    ['month', '2023-10-01T00:00:00.000Z', '2023-10-31T23:59:59.999Z', true],
    ['month', '2023-10-01T00:00:00.000Z', '2023-11-01T00:00:00.000Z', false],
    ['month', '2023-09-30T23:59:59.999Z', '2023-10-01T00:00:00.000Z', false],
    ['month', '2023-10-31T23:59:59.999Z', '2023-10-31T23:59:59.999Z', true],
    ['month', '2024-02-01T00:00:00.000Z', '2024-02-29T23:59:59.999Z', true], // a leap year
    ['month', '2023-02-28T23:59:59.999Z', '2023-03-01T00:00:00.000Z', false],
    ['month', '2023-12-31T23:59:59.999Z', '2024-01-01T00:00:00.000Z', false],
  ])('of a %s, booked at %s, looked at %s: %s', (period, booked, now, inside) => {
    expect(counts(period, booked, now)).toBe(inside);
  });

  it.each<[LimitPeriod, string, string]>([
    ['day', '2023-10-03T12:00:00.000Z', '2023-10-04T12:00:00.000Z'],
    ['week', '2023-12-28T12:00:00.000Z', '2024-01-04T12:00:00.000Z'],
    ['month', '2024-01-31T12:00:00.000Z', '2024-02-01T00:00:00.000Z'],
    ['month', '2023-12-01T00:00:00.000Z', '2024-01-01T00:00:00.000Z'],
  ])('of a %s, booked at %s, leaves at %s', (period, booked, leaves) => {
    expect(leavesAt(period, at(booked))).toEqual(at(leaves));
  });

  it('counts until the moment at which it leaves, whenever it was booked', () => {
    const day = fc.date({ min: at('2020-01-01'), max: at('2040-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(fc.constantFrom('day', 'week', 'month'), day, (period, booked) => {
        const leaves = leavesAt(period, booked);
        expect(booked > windowAfter(period, new Date(leaves.getTime() - 1))).toBe(true);
        expect(booked > windowAfter(period, leaves)).toBe(false);
      }),
    );
  });
});
