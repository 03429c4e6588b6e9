import { defineMachine } from '../../../platform/state-machine.js';

/** States of a payment whose money has come. */
export const MONEY_STATES = [
  'succeeded',
  'in_review',
  'refunding',
  'partially_refunded',
  'refunded',
  'disputed',
  'charged_back',
] as const;
export type MoneyState = (typeof MONEY_STATES)[number];
export type PaymentState = 'created' | 'pending' | 'failed' | 'expired' | 'cancelled' | MoneyState;

/** `become_…` follows from what is known of the money: see `moneyStateOf`. */
export type PaymentEvent =
  'open' | 'succeed' | 'set_aside' | 'fail' | 'expire' | 'cancel' | `become_${MoneyState}`;

/** Money may come to any payment that has none yet, also long after it was given up: it is there, so it is booked. */
const MONEY_COMES = { succeed: 'succeeded', set_aside: 'in_review' } as const;
const NO_MONEY = { fail: 'failed', expire: 'expired', cancel: 'cancelled' } as const;

/**
 * `created` (ours alone) → `pending` (the provider has it) → the provider's word. Its words come late and in any order: only the
 * one about money counts for good. `in_review`: what came is not what was ordered, and an operator gives it back.
 */
export const paymentMachine = defineMachine<PaymentState, PaymentEvent>('payment', {
  initial: 'created',
  transitions: {
    created: { open: 'pending', ...MONEY_COMES, ...NO_MONEY },
    pending: { ...MONEY_COMES, ...NO_MONEY },
    failed: MONEY_COMES,
    expired: { ...MONEY_COMES, fail: 'failed', cancel: 'cancelled' },
    cancelled: MONEY_COMES,
    succeeded: becoming('refunding', 'disputed', 'charged_back'),
    in_review: becoming('refunding', 'disputed', 'charged_back'),
    refunding: becoming(
      'succeeded',
      'in_review',
      'partially_refunded',
      'refunded',
      'disputed',
      'charged_back',
    ),
    // What was given back may come back: a bank has refused it after all.
    partially_refunded: becoming('succeeded', 'in_review', 'refunding', 'disputed', 'charged_back'),
    refunded: becoming('succeeded', 'in_review', 'partially_refunded', 'disputed', 'charged_back'),
    disputed: becoming(
      'succeeded',
      'in_review',
      'refunding',
      'partially_refunded',
      'refunded',
      'charged_back',
    ),
    charged_back: {},
  },
});

/** What is known of the money of a payment that came. */
export interface MoneyFacts {
  readonly paid: bigint;
  readonly refunding: bigint;
  readonly refunded: bigint;
  readonly inReview: boolean;
  readonly dispute: 'open' | 'lost' | null;
}

/** The one state that these facts are. A dispute hides what else goes on until it ends. */
export function moneyStateOf({ paid, refunding, refunded, inReview, dispute }: MoneyFacts): MoneyState {
  if (dispute !== null) return dispute === 'lost' ? 'charged_back' : 'disputed';
  if (refunding > 0n) return 'refunding';
  if (refunded === paid) return 'refunded';
  if (inReview) return 'in_review';
  return refunded > 0n ? 'partially_refunded' : 'succeeded';
}

/** What is left to give back, unless a dispute is about it. */
export function refundable({ paid, refunding, refunded, dispute }: MoneyFacts): bigint {
  return dispute === null ? paid - refunding - refunded : 0n;
}

function becoming(...states: MoneyState[]): Partial<Record<PaymentEvent, PaymentState>> {
  return Object.fromEntries(states.map((state) => [`become_${state}`, state]));
}
