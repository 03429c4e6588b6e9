import { describe, expect, it } from '@jest/globals';
import { decimalText } from './statement.js';

describe('an amount in a statement', () => {
  it.each([
    [1050n, 'USD', '10.50'],
    [-1050n, 'USD', '-10.50'],
    [5n, 'USD', '0.05'],
    [-5n, 'EUR', '-0.05'],
    [0n, 'USD', '0.00'],
    [1050n, 'XAF', '1050'],
    [-1n, 'UGX', '-1'],
    [1050n, 'KWD', '1.050'],
    [-7n, 'KWD', '-0.007'],
    [9_223_372_036_854_775_807n, 'USD', '92233720368547758.07'],
  ])('of %s minor units of %s is %s', (amount, currency, text) => {
    expect(decimalText(amount, currency)).toBe(text);
  });
});
