import type Stripe from 'stripe';
import type { Money, ProviderState, ProviderStatus } from '../../provider.js';
import { fromStripe } from './stripe-amounts.js';

/** What an event rendered in an older version of the API has, and the pinned one does not. */
type OlderInvoice = Stripe.Invoice & {
  subscription?: string | { id: string } | null;
  charge?: string | { id: string } | null;
  payment_intent?: string | { id: string } | null;
};
type OlderSubscription = Stripe.Subscription & { current_period_end?: number };

export function idOf(object: string | { id: string } | null | undefined): string | null {
  return typeof object === 'string' ? object : (object?.id ?? null);
}

/**
 * A session is what our payment is called at Stripe. It tells that it is paid; how a payment failed that it does not speak of is
 * in its payment intent, when that was asked for with it.
 */
export function stateOfSession(session: Stripe.Checkout.Session): ProviderState {
  const intent = typeof session.payment_intent === 'object' ? session.payment_intent : null;
  const invoice = typeof session.invoice === 'object' ? session.invoice : null;
  const subscription = typeof session.subscription === 'object' ? session.subscription : null;
  const status = statusOfSession(session, intent);
  return {
    providerReference: session.id,
    status,
    paid: status === 'succeeded' ? moneyOf(session.amount_total, session.currency) : null,
    failureCode: status === 'failed' ? failureOfIntent(intent) : null,
    subscriptionReference: idOf(session.subscription),
    periodEnd: subscription && periodEndOf(subscription),
    alsoKnownAs: [
      idOf(session.payment_intent),
      idOf(intent?.latest_charge),
      idOf(session.invoice),
      ...(invoice ? intentsOf(invoice) : []),
    ].filter((id) => id !== null),
  };
}

function statusOfSession(
  { status, payment_status }: Stripe.Checkout.Session,
  intent: Stripe.PaymentIntent | null,
): ProviderStatus {
  if (payment_status === 'paid' || payment_status === 'no_payment_required') return 'succeeded';
  if (status === 'expired') return 'expired';
  // While the page is open whoever was declined may try another card. Once it is complete the money is on its way, or did not come.
  const over = intent?.status === 'requires_payment_method' || intent?.status === 'canceled';
  return status === 'complete' && over ? 'failed' : 'pending';
}

export function failureOfIntent(intent: Stripe.PaymentIntent | null): string {
  const error = intent?.last_payment_error;
  return error?.decline_code ?? error?.code ?? 'payment_failed';
}

/** An invoice of a subscription is the payment of a renewal. */
export function stateOfInvoice(invoice: Stripe.Invoice): ProviderState {
  const status =
    invoice.status === 'paid'
      ? 'succeeded'
      : invoice.status === 'void' || invoice.status === 'uncollectible'
        ? 'failed'
        : 'pending';
  return {
    providerReference: invoice.id,
    status,
    paid: status === 'succeeded' ? fromStripe(invoice.amount_paid, invoice.currency) : null,
    failureCode: status === 'failed' ? `invoice_${invoice.status}` : null,
    subscriptionReference: subscriptionOf(invoice),
    ...(status === 'succeeded' ? periodOfInvoice(invoice) : { periodStart: null, periodEnd: null }),
    alsoKnownAs: intentsOf(invoice),
  };
}

export function subscriptionOf(invoice: Stripe.Invoice): string | null {
  return idOf(invoice.parent?.subscription_details?.subscription ?? (invoice as OlderInvoice).subscription);
}

/** The payment intents and charges that paid it. */
export function intentsOf(invoice: Stripe.Invoice): string[] {
  const { payment_intent, charge } = invoice as OlderInvoice;
  const payments = invoice.payments?.data.map(({ payment }) => payment) ?? [];
  return [payment_intent, charge, ...payments.flatMap((p) => [p.payment_intent, p.charge])]
    .map(idOf)
    .filter((id) => id !== null);
}

/** Of its last line: what is charged or credited afterwards for a time before that is a line too. */
function periodOfInvoice({ lines }: Stripe.Invoice): Pick<ProviderState, 'periodStart' | 'periodEnd'> {
  const last = lines.data.map(({ period }) => period).toSorted((a, b) => b.end - a.end)[0];
  return { periodStart: last ? dateOf(last.start) : null, periodEnd: last ? dateOf(last.end) : null };
}

export function periodEndOf(subscription: Stripe.Subscription): Date | null {
  const ends = subscription.items?.data.map((item) => item.current_period_end) ?? [];
  const end = Math.max(0, ...ends.filter((at) => at !== undefined));
  const seconds = end || (subscription as OlderSubscription).current_period_end || subscription.ended_at;
  return seconds ? dateOf(seconds) : null;
}

const REFUND_STATUS: Readonly<Record<string, ProviderStatus>> = {
  pending: 'pending',
  requires_action: 'pending',
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'cancelled',
};

export function stateOfRefund(refund: Stripe.Refund): ProviderState {
  const status = REFUND_STATUS[refund.status ?? 'pending'] ?? 'pending';
  return {
    providerReference: refund.id,
    status,
    paid: status === 'succeeded' ? fromStripe(refund.amount, refund.currency) : null,
    failureCode: status === 'failed' ? (refund.failure_reason ?? 'unknown') : null,
  };
}

/** A transfer has moved the money once it is there at all; reversed, it has moved it back. */
export function stateOfTransfer(transfer: Stripe.Transfer): ProviderState {
  const { id, amount, amount_reversed, currency, reversed } = transfer;
  return {
    providerReference: id,
    status: reversed ? 'failed' : 'succeeded',
    paid: reversed ? null : fromStripe(amount - amount_reversed, currency),
    failureCode: reversed ? 'transfer_reversed' : null,
  };
}

export function moneyOf(amount: number | null, currency: string | null): Money | null {
  return amount === null || currency === null ? null : fromStripe(amount, currency);
}

function dateOf(seconds: number): Date {
  return new Date(seconds * 1000);
}
