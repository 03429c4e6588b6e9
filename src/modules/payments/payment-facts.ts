import { NOWHERE, type Place } from '../../platform/geo/place.js';
import type { Declaration } from '../../platform/security/operates.decorator.js';
import type { AccountRef } from '../wallet/ledger.types.js';
import type { MoneyFacts } from './domain/payment-machine.js';
import type { PaymentRow } from './payments.types.js';
import type { Money } from './provider.js';

/** What is known of the money of a payment; of one that has none yet, that nothing came. */
export function factsOf(row: PaymentRow): MoneyFacts {
  return {
    paid: BigInt(row.paid_amount ?? 0),
    refunding: BigInt(row.refunding),
    refunded: BigInt(row.refunded),
    inReview: row.review !== null,
    dispute: row.dispute,
  };
}

export function orderedOf(row: PaymentRow): Money {
  return { amount: BigInt(row.amount), currency: row.currency };
}

/** Where its money was booked to. */
export function paidTo(row: PaymentRow): AccountRef {
  const { paid_to_kind: kind, paid_to_owner: owner, paid_currency: currency } = row;
  if (kind === null || owner === null || currency === null) throw new Error(`payment ${row.id} has no money`);
  return { kind: kind as AccountRef['kind'], owner, currency };
}

/** The provider's books as ours have them: what it holds for us is a debit. */
export function clearing(provider: string, currency: string): AccountRef {
  return { kind: 'clearing', owner: provider, currency };
}

/** Where money of a payment stands that belongs to nobody: on the way back, or until an operator has looked at it. */
export function aside(what: 'payment' | 'refund', id: string, currency: string): AccountRef {
  return { kind: 'escrow', owner: `${what}:${id}`, currency };
}

const REGION = /^[A-Z0-9]{1,3}$/;

/** What buying anything here is to the rules of play. */
export const PURCHASE: Declaration = { operation: 'stake', product: 'pools' };

/** A place as a payment keeps it, `US-NY` or `US`; null: nobody knew. */
export function placeText({ country, region, anonymous }: Place): string | null {
  if (country === null || anonymous) return null;
  return region !== null && REGION.test(region) ? `${country}-${region}` : country;
}

export function placeOf(text: string | null): Place {
  if (text === null) return NOWHERE;
  const [country = null, region = null] = text.split('-');
  return { country, region, anonymous: false };
}
