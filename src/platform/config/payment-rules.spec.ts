import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { PaymentRules } from './payment-rules.js';

const GOOD = {
  prices: { week_pass: { USD: 1000 }, subscription: { USD: 3500 }, buy_back: { USD: 500, UGX: 18_500 } },
  deposits: { USD: { min: 500, max: 500_000 } },
  openAtMost: 5,
  velocity: { failures: 5, minutes: 10, blockMinutes: 60 },
  reconciliation: { pendingMinutes: 15, giveUpHours: 72 },
  eventBodyDays: 90,
};

function wrong(change: object): boolean {
  const rules = plainToInstance(PaymentRules, { ...GOOD, ...change });
  return validateSync(rules, { whitelist: true, forbidNonWhitelisted: true }).length > 0;
}

describe("payments' rules", () => {
  it('may be as they are, and without a currency at all', () => {
    expect([wrong({}), wrong({ deposits: {} })]).toEqual([false, false]);
  });

  it.each([
    ['a price with a fraction', { prices: { ...GOOD.prices, week_pass: { USD: 9.99 } } }],
    ['a price of nothing', { prices: { ...GOOD.prices, week_pass: { USD: 0 } } }],
    ['a price in no currency', { prices: { ...GOOD.prices, week_pass: { usd: 1000 } } }],
    ['a price in words', { prices: { ...GOOD.prices, week_pass: { USD: '1000' } } }],
    ['a purpose without prices', { prices: { week_pass: { USD: 1000 } } }],
    ['a range upside down', { deposits: { USD: { min: 500, max: 499 } } }],
    ['half a range', { deposits: { USD: { min: 500 } } }],
    ['more than a range', { deposits: { USD: { min: 500, max: 600, fee: 1 } } }],
    ['a list of ranges', { deposits: null }],
    ['no failures', { velocity: { ...GOOD.velocity, failures: 0 } }],
  ])('may not have %s', (_, change) => {
    expect(wrong(change)).toBe(true);
  });
});
