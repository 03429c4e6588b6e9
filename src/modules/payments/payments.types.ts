import type { PaymentState } from './domain/payment-machine.js';
import type { CheckoutOrder } from './provider.js';

export type PaymentPurpose = CheckoutOrder['purpose'];
export const PURPOSES = [
  'week_pass',
  'subscription',
  'buy_back',
  'deposit',
] as const satisfies PaymentPurpose[];

/** A row of `payments`; amounts are minor units, as text. */
export interface PaymentRow {
  readonly id: string;
  readonly user_id: string;
  readonly purpose: PaymentPurpose;
  readonly subject: string | null;
  readonly subscription_id: string | null;
  readonly amount: string;
  readonly currency: string;
  readonly provider: string;
  readonly provider_reference: string | null;
  readonly redirect_url: string | null;
  readonly status: PaymentState;
  readonly failure_code: string | null;
  readonly review: string | null;
  readonly paid_amount: string | null;
  readonly paid_currency: string | null;
  readonly paid_to_kind: string | null;
  readonly paid_to_owner: string | null;
  readonly refunding: string;
  readonly refunded: string;
  readonly dispute: 'open' | 'lost' | null;
  readonly period_end: Date | null;
  /** Where the payer was when they began: `US-NY` or `US`; null: nobody knew. */
  readonly place: string | null;
  readonly opened_at: Date | null;
  readonly created_at: Date;
  readonly confirmed_at: Date | null;
  readonly failed_at: Date | null;
  readonly checks: number;
}

export interface RefundRow {
  readonly id: string;
  readonly payment_id: string;
  readonly amount: string;
  readonly reason: string;
  readonly requested_by: string | null;
  readonly status: 'requested' | 'pending' | 'succeeded' | 'failed';
  readonly provider_reference: string | null;
  readonly failure_code: string | null;
  readonly created_at: Date;
  /** When the provider first said so; it may have failed since. */
  readonly succeeded_at: Date | null;
  readonly completed_at: Date | null;
  readonly checks: number;
}

export interface SubscriptionRow {
  readonly id: string;
  readonly user_id: string;
  readonly provider: string;
  readonly provider_reference: string;
  readonly amount: string;
  readonly currency: string;
  readonly status: 'active' | 'past_due' | 'cancelled';
  readonly period_end: Date;
  readonly cancel_at_period_end: boolean;
  readonly created_at: Date;
}

/** What became of something a provider has told. `stale`: it was known, or overtaken by what came before. */
export type EventOutcome = 'applied' | 'stale' | 'unknown' | 'ignored' | 'review';
