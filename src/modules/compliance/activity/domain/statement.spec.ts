import { describe, expect, it } from '@jest/globals';
import { type Moved, monthsOf, statementOf } from './statement.js';

const at = (text: string) => new Date(text);
const NOW = at('2024-01-15T12:00:00Z');
const moved = (month: string, what: Moved['what'], amount: bigint, currency = 'USD'): Moved => ({
  month,
  currency,
  what,
  amount,
});

describe('the months of a statement', () => {
  it.each([
    ['2024-01-15T12:00:00Z', 3, ['2024-01-01', '2023-12-01', '2023-11-01', '2023-10-01']],
    ['2024-01-01T00:00:00Z', 0, ['2024-01-01']],
    ['2023-12-31T23:59:59.999Z', 1, ['2023-12-01', '2023-11-01']],
    ['2024-03-31T12:00:00Z', 1, ['2024-03-01', '2024-02-01']],
  ])('at %s with %d before', (now, before, months) => {
    expect(monthsOf(at(now), before)).toEqual(months);
  });

  it('of a year are thirteen: this one is not over', () => {
    const months = monthsOf(NOW, 12);
    expect([months.length, months.at(-1)]).toEqual([13, '2023-01-01']);
  });
});

describe('a statement', () => {
  const all = [
    moved('2024-01-01', 'deposit', 5000n),
    moved('2024-01-01', 'week_pass', 1000n),
    moved('2024-01-01', 'buy_back', 500n),
    moved('2024-01-01', 'deposit', 700n, 'EUR'),
    moved('2023-12-01', 'prize', 9000n),
    moved('2023-12-01', 'withdrawal', 2000n),
    moved('2023-12-01', 'refunded_deposit', 300n),
    moved('2023-12-01', 'refunded_purchase', 1000n),
    moved('2022-05-01', 'subscription', 4000n),
  ];

  it('tells every month, the currencies apart, and what all of it comes to', () => {
    const { months, total, lifetime } = statementOf(all, NOW, 3);
    expect(
      months.map(({ month, currencies }) => [month, currencies.map(({ currency }) => currency)]),
    ).toEqual([
      ['2024-01-01', ['EUR', 'USD']],
      ['2023-12-01', ['USD']],
      ['2023-11-01', []],
      ['2023-10-01', []],
    ]);
    expect(total.find(({ currency }) => currency === 'USD')).toEqual({
      currency: 'USD',
      deposits: 5000n,
      purchases: { week_pass: 1000n, subscription: 0n, buy_back: 500n },
      prizes: 9000n,
      refunds: 1300n,
      withdrawals: 2000n,
      result: 8500n, // 9000 won, 500 spent that did not come back
      netDeposits: 3200n, // 6500 came, 3300 went
    });
    expect(lifetime).toEqual([
      { currency: 'EUR', netDeposits: 700n },
      { currency: 'USD', netDeposits: 7200n },
    ]);
  });

  it('of nothing is empty', () => {
    const { months, total, lifetime } = statementOf([], NOW, 3);
    expect([months.flatMap(({ currencies }) => currencies), total, lifetime]).toEqual([[], [], []]);
  });
});
