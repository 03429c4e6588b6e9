import type { Params } from './stripe-document.js';

/** What Stripe refuses with one of its error codes. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string | undefined,
    readonly param: string | undefined,
    message: string,
  ) {
    super(message);
  }
}

// https://docs.stripe.com/currencies
const ZERO_DECIMAL = 'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' ');
const WHOLE_HUNDREDS = ['isk', 'ugx'];
const WHOLE_TENS = 'bhd jod kwd omr tnd'.split(' ');
const MINIMUM: Record<string, number> = { usd: 50, eur: 50, gbp: 30, jpy: 50, chf: 50, aed: 200 };
const MAXIMUM = 99_999_999;

/** What Stripe's prose says of amounts, which the types of its document do not. */
export function amountRefusal(
  amount: number,
  currency: string,
  param: string,
  least?: number,
): Refused | null {
  if (!/^[a-z]{3}$/.test(currency))
    return new Refused(400, undefined, 'currency', `Invalid currency: ${currency}`);
  const step = WHOLE_HUNDREDS.includes(currency) ? 100 : WHOLE_TENS.includes(currency) ? 10 : 1;
  if (amount <= 0 || amount % step !== 0)
    return new Refused(
      400,
      'invalid_charge_amount',
      param,
      `${amount} ${currency} is no multiple of ${step}.`,
    );
  const minimum = least ?? MINIMUM[currency] ?? (ZERO_DECIMAL.includes(currency) ? 1 : 10);
  if (amount < minimum)
    return new Refused(400, 'amount_too_small', param, `At least ${minimum} ${currency}.`);
  if (amount > MAXIMUM) return new Refused(400, 'amount_too_large', param, `At most ${MAXIMUM} ${currency}.`);
  return null;
}

interface Item {
  quantity?: number;
  price_data?: { currency: string; unit_amount?: number; product_data?: object; recurring?: object };
}

/** Which parameters of a Checkout Session belong together. */
export function checkoutRefusal(params: Params): Refused | null {
  const { mode, success_url } = params as { mode?: string; success_url: string };
  const missing = (param: string) =>
    new Refused(400, 'parameter_missing', param, `Missing required param: ${param}.`);
  if (mode === undefined) return missing('mode');
  const items = (params['line_items'] ?? []) as Item[];
  if (items.length === 0) return missing('line_items');
  if (!URL.canParse(success_url)) return new Refused(400, 'url_invalid', 'success_url', 'Not a valid URL');
  for (const { quantity, price_data } of items) {
    if (!price_data?.product_data || price_data.unit_amount === undefined)
      return missing('line_items[0][price_data]');
    if (quantity === undefined) return missing('line_items[0][quantity]');
    const refusal = amountRefusal(
      price_data.unit_amount,
      price_data.currency,
      'line_items[0][price_data][unit_amount]',
    );
    if (refusal) return refusal;
  }
  const recurring = items.filter(({ price_data }) => price_data?.recurring !== undefined).length;
  if (mode === 'subscription' ? recurring === 0 : recurring > 0)
    return new Refused(400, undefined, 'mode', `${recurring} recurring prices are not for mode ${mode}.`);
  const stray = mode === 'payment' ? 'subscription_data' : 'payment_intent_data';
  if (stray in params)
    return new Refused(400, undefined, stray, `You can not pass ${stray} in ${mode} mode.`);
  const metadata = Object.entries((params['metadata'] ?? {}) as Record<string, string>);
  if (metadata.length > 50 || metadata.some(([name, value]) => name.length > 40 || value.length > 500))
    return new Refused(400, undefined, 'metadata', 'Metadata is too long.');
  return null;
}
