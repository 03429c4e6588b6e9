import { describe, expect, it } from '@jest/globals';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { LimitRules } from './limit-rules.js';

const wrong = (rules: object): string[] =>
  validateSync(plainToInstance(LimitRules, rules), { whitelist: true, forbidNonWhitelisted: true }).map(
    ({ property }) => property,
  );

describe('limits that hold everywhere', () => {
  it.each([
    [{}],
    [{ deposit: { month: { USD: 100_000 } } }],
    [{ deposit: { day: { USD: 1, EUR: 2 }, week: {} }, loss: { month: { XAF: 5 } }, stake: {} }],
  ])('may be %j', (maximum) => {
    expect(wrong({ confirmHours: 168, maximum })).toEqual([]);
  });

  it.each([
    ['an unknown kind', { win: { day: { USD: 1 } } }],
    ['an unknown period', { deposit: { year: { USD: 1 } } }],
    ['no currency', { deposit: { day: { dollars: 1 } } }],
    ['half a unit', { deposit: { day: { USD: 0.5 } } }],
    ['a number', { deposit: { day: 100 } }],
    ['a list', []],
    ['nothing', null],
  ])('may not be %s', (_, maximum) => {
    expect(wrong({ confirmHours: 168, maximum })).toEqual(['maximum']);
  });

  it.each([0, 1.5, '168', null])('are not confirmed within %j hours', (confirmHours) => {
    expect(wrong({ confirmHours, maximum: {} })).toEqual(['confirmHours']);
  });
});
