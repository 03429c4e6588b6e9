import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { minorUnitDigits } from '../../../../platform/money/money.js';
import { fromStripe, STRIPE_CURRENCIES, toStripe, UnsayableAmountError } from './stripe-amounts.js';

const money = (amount: bigint, currency: string) => ({ amount, currency });

describe('amounts in Stripe’s unit', () => {
  it.each([
    ['USD', 1050n, 1050],
    ['JPY', 500n, 500],
    ['XAF', 5000n, 5000],
    ['UGX', 5n, 500], // whole shillings, written with two digits
    ['ISK', 5n, 500],
    ['MGA', 500n, 5], // hundredths in ISO 4217, whole ariary at Stripe
    ['KWD', 5120n, 5120],
    ['HUF', 1045n, 1045], // whole forints in payouts to banks only, which we do not make
  ])('of %s: %s is %i', (currency, ours, theirs) => {
    expect(toStripe(money(ours, currency))).toEqual({ amount: theirs, currency: currency.toLowerCase() });
    expect(fromStripe(theirs, currency.toLowerCase())).toEqual(money(ours, currency));
  });

  it.each([
    [5124n, 'KWD'], // the last of three digits must be 0
    [501n, 'MGA'],
    [0n, 'USD'],
    [-1n, 'USD'],
    [10n ** 16n, 'USD'],
    [1n, 'LYD'], // not taken by Stripe
    [1n, 'usd'],
  ])('refuses %s %s, and rounds nothing', (amount, currency) => {
    expect(() => toStripe(money(amount, currency))).toThrow(UnsayableAmountError);
  });

  it('does not believe a fraction of a shilling', () => {
    expect(() => fromStripe(550, 'ugx')).toThrow(RangeError);
  });

  it('comes back as it went, in every currency', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...STRIPE_CURRENCIES),
        fc.bigInt({ min: 1n, max: 10n ** 9n }),
        (currency, hundreds) => {
          const sent = toStripe(money(hundreds * 100n, currency));
          expect(fromStripe(sent.amount, sent.currency)).toEqual(money(hundreds * 100n, currency));
        },
      ),
    );
  });

  it('differs from ISO 4217 in three currencies, and no other', () => {
    const differs = (currency: string) => toStripe(money(1000n, currency)).amount !== 1000;
    expect(STRIPE_CURRENCIES.filter(differs)).toEqual(['ISK', 'MGA', 'UGX']);
  });

  it('knows each currency once, with the digits that Stripe gives it', () => {
    expect(new Set(STRIPE_CURRENCIES).size).toBe(STRIPE_CURRENCIES.length);
    const of = (digits: number) =>
      STRIPE_CURRENCIES.filter((code) => minorUnitDigits(code) === digits).join(' ');
    expect(of(3)).toBe('BHD JOD KWD OMR TND');
    expect(of(0)).toBe('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF');
    expect(of(4)).toBe('');
  });
});
