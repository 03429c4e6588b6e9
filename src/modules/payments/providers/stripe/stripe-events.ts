import type Stripe from 'stripe';
import type { DisputeChange, ProviderEvent } from '../../provider.js';
import { fromStripe } from './stripe-amounts.js';
import {
  failureOfIntent,
  idOf,
  periodEndOf,
  stateOfInvoice,
  stateOfRefund,
  stateOfSession,
  stateOfTransfer,
  subscriptionOf,
} from './stripe-states.js';

type Read = Omit<ProviderEvent, 'eventId' | 'type'>;

const NOTHING: Read = { about: 'nothing', providerReference: null, state: null };

/**
 * What a verified event says of our payments. One thing is told by one kind of event: a checkout by its session and not by its
 * intent and charges too (but for cards that were declined in it, of which the session says nothing), a renewal by `invoice.paid` and not by `invoice.payment_succeeded` too. Pure, so that every body
 * Stripe has documented can be put to it.
 */
export function readEvent(event: Stripe.Event): ProviderEvent {
  return { eventId: event.id, type: event.type, ...read(event) };
}

function read(event: Stripe.Event): Read {
  switch (event.type) {
    case 'checkout.session.completed':
    case 'checkout.session.async_payment_succeeded':
    case 'checkout.session.async_payment_failed':
    case 'checkout.session.expired':
      return readSession(event.data.object, event.type === 'checkout.session.async_payment_failed');
    case 'payment_intent.payment_failed':
      return readDeclined(event.data.object);
    case 'refund.created':
    case 'refund.updated':
    case 'refund.failed':
    case 'charge.refund.updated':
      return readRefund(event.data.object);
    case 'transfer.created':
    case 'transfer.updated':
    case 'transfer.reversed':
      return readTransfer(event.data.object);
    case 'invoice.paid':
    case 'invoice.payment_failed':
      return readRenewal(event.data.object, event.type === 'invoice.paid');
    case 'customer.subscription.deleted':
      return readEnd(event.data.object);
    case 'charge.dispute.created':
      return readDispute(event.data.object, 'opened');
    case 'charge.dispute.funds_withdrawn':
      return readDispute(event.data.object, 'funds_withdrawn');
    case 'charge.dispute.funds_reinstated':
      return readDispute(event.data.object, 'funds_reinstated');
    case 'charge.dispute.closed':
      // An inquiry that was closed, or a dispute that was prevented, has cost nothing: as good as won.
      return readDispute(event.data.object, event.data.object.status === 'lost' ? 'lost' : 'won');
    default:
      return NOTHING;
  }
}

function readSession(session: Stripe.Checkout.Session, failed: boolean): Read {
  if (session.mode === 'setup') return NOTHING;
  const state = stateOfSession(session);
  const first: Read = {
    about: 'payment',
    providerReference: session.id,
    ourId: session.metadata?.['paymentId'] ?? null,
    state: failed ? { ...state, status: 'failed', failureCode: 'payment_failed' } : state,
  };
  // Until when the first month is paid stands in the subscription only: Stripe is asked.
  return session.mode === 'subscription' && state.status === 'succeeded' ? { ...first, state: null } : first;
}

/**
 * A card that was declined on the open page, where the payer may try another. What another method cannot pay is told by the session;
 * an intent without our id is none of a checkout that is paid once.
 */
function readDeclined(intent: Stripe.PaymentIntent): Read {
  const ourId = intent.metadata['paymentId'];
  if (ourId === undefined || intent.last_payment_error?.type !== 'card_error') return NOTHING;
  return {
    about: 'payment',
    providerReference: intent.id,
    ourId,
    state: {
      providerReference: intent.id,
      status: 'pending',
      paid: null,
      failureCode: failureOfIntent(intent),
      declined: true,
    },
  };
}

function readRefund(refund: Stripe.Refund): Read {
  return {
    about: 'refund',
    providerReference: refund.id,
    ourId: refund.metadata?.['refundId'] ?? null,
    state: stateOfRefund(refund),
  };
}

/** Those without our id were made by somebody at the dashboard, and pay no withdrawal. */
function readTransfer(transfer: Stripe.Transfer): Read {
  const ourId = transfer.metadata['payoutId'];
  if (ourId === undefined) return NOTHING;
  return { about: 'payout', providerReference: transfer.id, ourId, state: stateOfTransfer(transfer) };
}

/** The first invoice of a subscription is the checkout's own payment. */
function readRenewal(invoice: Stripe.Invoice, paid: boolean): Read {
  const subscriptionReference = subscriptionOf(invoice);
  if (subscriptionReference === null || invoice.billing_reason === 'subscription_create') return NOTHING;
  const state = stateOfInvoice(invoice);
  return {
    about: 'subscription',
    providerReference: state.providerReference,
    state,
    change: {
      kind: paid ? 'renewed' : 'renewal_failed',
      subscriptionReference,
      paid: paid ? state.paid : null,
      periodStart: paid ? (state.periodStart ?? null) : null,
      periodEnd: paid ? (state.periodEnd ?? null) : null,
    },
  };
}

function readEnd(subscription: Stripe.Subscription): Read {
  return {
    about: 'subscription',
    providerReference: null,
    state: null,
    change: {
      kind: 'cancelled',
      subscriptionReference: subscription.id,
      paid: null,
      periodEnd: periodEndOf(subscription),
    },
  };
}

/** By its intent or charge, which is all that a dispute names; StripeBookings knows the payment. */
function readDispute(dispute: Stripe.Dispute, kind: DisputeChange['kind']): Read {
  return {
    about: 'dispute',
    providerReference: idOf(dispute.payment_intent) ?? idOf(dispute.charge),
    state: null,
    change: {
      kind,
      disputeReference: dispute.id,
      disputed: fromStripe(dispute.amount, dispute.currency),
    },
  };
}
