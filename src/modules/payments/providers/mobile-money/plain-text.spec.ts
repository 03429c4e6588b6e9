import { describe, expect, it } from '@jest/globals';
import { plainText, readCode } from './plain-text.js';

describe('text for gateways of mobile money', () => {
  it.each([
    ['Ada’s pass — week 14', 160, 'Ada s pass week 14'],
    ['Dépôt à Yaoundé', 160, 'Depot a Yaounde'],
    ['<b>x</b>\n"y"', 160, 'b x b y'],
    ['ስለ', 160, ''],
    ['abc def', 4, 'abc'],
  ])('of %p is at most %i plain characters', (text, length, plain) => {
    expect(plainText(text, length)).toBe(plain);
  });
});

describe('a provider’s code', () => {
  it.each([
    ['NOT_ENOUGH_FUNDS', 'NOT_ENOUGH_FUNDS'],
    ['Approval rejected', 'APPROVAL_REJECTED'],
    ['Success.', 'SUCCESS'],
    ['DP00800001007', 'DP00800001007'],
  ])('%p is read as %s', (value, code) => {
    expect(readCode(value)).toBe(code);
  });

  it.each([
    '',
    '256772123456',
    '+256772123456',
    'MSISDN 256772123456 not found',
    'x'.repeat(65),
    null,
    7,
    {},
  ])('%p is none, and is never shown', (value) => {
    expect(readCode(value)).toBeNull();
  });
});
