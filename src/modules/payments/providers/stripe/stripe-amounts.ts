import { minorUnitDigits } from '../../../../platform/money/money.js';
import type { Money } from '../../provider.js';

/** The currencies Stripe takes money in: https://docs.stripe.com/currencies#presentment-currencies */
export const STRIPE_CURRENCIES: readonly string[] = (
  'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP CNY ' +
  'COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD ' +
  'JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD ' +
  'NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL THB ' +
  'TJS TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST XAF XCD XOF XPF YER ZAR ZMW'
).split(' ');
const TAKEN = new Set(STRIPE_CURRENCIES);

/**
 * Digits of Stripe's own unit where they are not ISO 4217's: ISK and UGX have kept the two they once had, always `00`, and
 * the ariary, whose minor unit is a fifth, has none. https://docs.stripe.com/currencies#special-cases
 */
const STRIPE_DIGITS: Readonly<Record<string, number>> = { ISK: 2, UGX: 2, MGA: 0 };

/** An order that Stripe has no way to say. Nothing is ever rounded: somebody would be out by the difference. */
export class UnsayableAmountError extends Error {}

/** In Stripe's unit of the currency. Throws UnsayableAmountError. */
export function toStripe({ amount, currency }: Money): { amount: number; currency: string } {
  if (!TAKEN.has(currency)) throw new UnsayableAmountError(`Stripe does not take ${currency}`);
  const { times, by } = ratioOf(currency);
  // Partners of Stripe's know hundredths only, so that of three digits the last is 0.
  const step = by > 1n ? by : minorUnitDigits(currency) === 3 ? 10n : 1n;
  if (amount <= 0n || amount % step !== 0n)
    throw new UnsayableAmountError(`${amount} ${currency} is no multiple of ${step}`);
  const units = (amount * times) / by;
  if (units > BigInt(Number.MAX_SAFE_INTEGER))
    throw new UnsayableAmountError(`${amount} ${currency} is too much`);
  return { amount: Number(units), currency: currency.toLowerCase() };
}

/** What Stripe says, in the ledger's unit. Throws RangeError for a fraction of it, which Stripe says it never tells. */
export function fromStripe(amount: number, currency: string): Money {
  const code = currency.toUpperCase();
  const { times, by } = ratioOf(code);
  const units = BigInt(amount) * by;
  if (units % times !== 0n) throw new RangeError(`Stripe told ${amount} of ${code}`);
  return { amount: units / times, currency: code };
}

/** The ledger's minor units × times ÷ by are Stripe's. */
function ratioOf(currency: string): { times: bigint; by: bigint } {
  const iso = minorUnitDigits(currency);
  const more = (STRIPE_DIGITS[currency] ?? iso) - iso;
  return more >= 0 ? { times: 10n ** BigInt(more), by: 1n } : { times: 1n, by: 10n ** BigInt(-more) };
}
