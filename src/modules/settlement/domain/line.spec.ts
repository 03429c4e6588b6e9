import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { quarterUnits } from './line.js';

describe('a line in quarters', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['-0.0', 0],
    ['3', 12],
    ['-3', -12],
    ['-2.5', -10],
    ['+2.50', 10],
    ['1.25', 5],
    ['-0.75', -3],
    ['47.00', 188],
    ['220.500000', 882],
  ])('%s is %i', (line, quarters) => {
    expect(quarterUnits(line)).toBe(quarters);
  });

  it.each([null, '', ' 3', '3 ', '.5', '3.', '--3', '1e1', '2.1', '2.3', '0.125', 'pk', '-0.5/-1', 'NaN'])(
    'refuses %j',
    (line) => {
      expect(() => quarterUnits(line)).toThrow(RangeError);
    },
  );

  it('is exact on every quarter', () => {
    fc.assert(
      fc.property(fc.integer({ min: -4000, max: 4000 }), (quarters) => {
        expect(quarterUnits(String(quarters / 4))).toBe(quarters);
        expect(quarterUnits((quarters / 4).toFixed(2))).toBe(quarters);
      }),
    );
  });
});
