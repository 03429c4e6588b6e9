import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromDecimal, toDecimal } from './decimal-amount.js';

describe('amounts in the major unit', () => {
  it.each([
    [500n, 'UGX', '500'],
    [0n, 'XAF', '0'],
    [500n, 'GHS', '5.00'],
    [5n, 'EUR', '0.05'],
    [123_456_789_012_345_678n, 'ZMW', '1234567890123456.78'],
    [1n, 'TND', '0.001'],
  ])('%s minor units of %s are %s', (amount, currency, text) => {
    expect(toDecimal({ amount, currency })).toBe(text);
    expect(fromDecimal(text, currency)).toBe(amount);
  });

  it.each([
    ['500.0', 'UGX', 500n],
    ['500.00', 'XOF', 500n],
    ['5', 'GHS', 500n],
    ['5.5', 'GHS', 550n],
    [5, 'EUR', 500n],
    [10.1, 'ZMW', 1010n],
  ])('%p of %s is read as well', (text, currency, amount) => {
    expect(fromDecimal(text, currency)).toBe(amount);
  });

  it.each([
    '0.5',
    '500.01',
    '-5',
    '+5',
    '1,000',
    '',
    ' 5',
    '5.',
    '.5',
    '1e3',
    'five',
    null,
    undefined,
    {},
    NaN,
    Infinity,
  ])('%p is no amount of UGX', (value) => {
    expect(() => fromDecimal(value, 'UGX')).toThrow('not an amount of UGX');
  });

  it('are read as they are written, in every currency', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 17n }),
        fc.constantFrom('UGX', 'GHS', 'TND'),
        (amount, currency) => {
          expect(fromDecimal(toDecimal({ amount, currency }), currency)).toBe(amount);
        },
      ),
    );
  });
});
