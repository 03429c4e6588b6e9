import { StripeCharges } from './stripe-charges.js';
import type { Params } from './stripe-document.js';
import type { StripeObject } from './stripe-objects.js';
import { amountRefusal, checkoutRefusal, Refused } from './stripe-rules.js';

export interface StripeEvent {
  id: string;
  object: 'event';
  type: string;
  created: number;
  api_version: string;
  data: { object: StripeObject };
}

export const CONNECTED_ACCOUNT = 'acct_1PgafTB7WZ01zgkW';
const DAY = 86_400;

/** One account at Stripe, in memory: what was asked of it, and what payers, banks and time do to it. */
export class StripeAccount extends StripeCharges {
  /** What transfers may take from, in the smallest unit, of whatever currency. */
  balance = 10_000_000;
  refundStatus: 'pending' | 'succeeded' = 'succeeded';

  perform(operation: string, id: string | null, params: Params): object {
    const expand = (params['expand'] as string[] | undefined) ?? [];
    switch (operation) {
      case 'POST /v1/checkout/sessions':
        return this.expanded(this.createSession(params), expand);
      case 'POST /v1/refunds':
        return this.createRefund(params);
      case 'POST /v1/transfers':
        return this.createTransfer(params);
      case 'POST /v1/subscriptions/{subscription_exposed_id}':
        return this.updateSubscription(id!, params);
      case 'GET /v1/payment_intents/search':
        return this.found('payment_intent', params);
      case 'GET /v1/subscriptions/search':
        return this.found('subscription', params);
      default:
        return id === null ? this.listed(LISTS[operation]!, params) : this.expanded(this.get(id), expand);
    }
  }

  // What the payer does.

  pay(sessionId: string): StripeEvent {
    this.charge(sessionId, 'succeeded');
    return this.event(
      'checkout.session.completed',
      this.patch(sessionId, { status: 'complete', payment_status: 'paid' }),
    );
  }

  /** The page stays open. */
  decline(sessionId: string, code: string): StripeEvent {
    const intent = this.intentOf(this.get(sessionId), 'requires_payment_method');
    this.patch(sessionId, { payment_intent: intent.id });
    return this.event(
      'payment_intent.payment_failed',
      this.patch(intent.id, {
        last_payment_error: { type: 'card_error', code: 'card_declined', decline_code: code },
      }),
    );
  }

  /** By a method whose bank answers days later. */
  payLater(sessionId: string): StripeEvent {
    this.charge(sessionId, 'pending');
    return this.event('checkout.session.completed', this.patch(sessionId, { status: 'complete' }));
  }

  // What banks and time do.

  settleLater(sessionId: string, comes: boolean): StripeEvent {
    const intent = this.get(this.get(sessionId)['payment_intent'] as string);
    if (!comes) {
      const last_payment_error = {
        type: 'invalid_request_error',
        code: 'payment_intent_payment_attempt_failed',
      };
      this.patch(intent.id, { status: 'requires_payment_method', last_payment_error });
      return this.event('checkout.session.async_payment_failed', this.get(sessionId));
    }
    this.patch(intent.id, { status: 'succeeded' });
    this.book(this.patch(intent['latest_charge'] as string, { status: 'succeeded', paid: true }));
    return this.event(
      'checkout.session.async_payment_succeeded',
      this.patch(sessionId, { payment_status: 'paid' }),
    );
  }

  expire(sessionId: string): StripeEvent {
    return this.event('checkout.session.expired', this.patch(sessionId, { status: 'expired', url: null }));
  }

  renew(subscriptionId: string, paid = true): StripeEvent {
    const subscription = this.get(subscriptionId);
    const { amount, currency } = subscription['standIn'] as { amount: number; currency: string };
    const invoice = this.invoice(subscription, { amount, currency }, 'subscription_cycle', paid);
    return this.event(paid ? 'invoice.paid' : 'invoice.payment_failed', invoice);
  }

  endSubscription(subscriptionId: string): StripeEvent {
    const ended = this.patch(subscriptionId, { status: 'canceled', ended_at: this.now });
    return this.event('customer.subscription.deleted', ended);
  }

  /** Of what paid the session or the invoice. */
  dispute(intentId: string, type: string, status = 'needs_response'): StripeEvent {
    const intent = this.get(intentId);
    const { amount, currency, latest_charge } = intent;
    const dispute = this.make('dispute', 'dp', {
      amount,
      currency,
      charge: latest_charge,
      payment_intent: intentId,
      status,
    });
    return this.event(`charge.dispute.${type}`, dispute);
  }

  settleRefund(refundId: string, change: Params): StripeEvent {
    return this.event('refund.updated', this.patch(refundId, change));
  }

  reverse(transferId: string): StripeEvent {
    const { amount } = this.get(transferId);
    return this.event(
      'transfer.reversed',
      this.patch(transferId, { reversed: true, amount_reversed: amount }),
    );
  }

  event(type: string, object: StripeObject): StripeEvent {
    const data = { object: structuredClone(object) };
    return {
      id: this.id('evt'),
      object: 'event',
      type,
      data,
      created: this.now,
      api_version: '2026-10-28.endive',
    };
  }

  // What is asked of it.

  private createSession(params: Params): StripeObject {
    const refusal = checkoutRefusal(params);
    if (refusal) throw refusal;
    const [item] = params['line_items'] as {
      quantity: number;
      price_data: { currency: string; unit_amount: number };
    }[];
    const { currency, unit_amount } = item!.price_data;
    const amount = unit_amount * item!.quantity;
    const { mode, metadata = {}, client_reference_id, success_url, cancel_url } = params;
    const session = this.make('checkout.session', 'cs_test', {
      mode,
      metadata,
      client_reference_id,
      success_url,
      cancel_url,
      currency,
      amount_total: amount,
      amount_subtotal: amount,
      expires_at: this.now + DAY,
      status: 'open',
      payment_status: 'unpaid',
      payment_intent: null,
      invoice: null,
      subscription: null,
      standIn: params,
    });
    return this.patch(session.id, { url: `https://checkout.stripe.com/c/pay/${session.id}` });
  }

  private createRefund(params: Params): StripeObject {
    const {
      payment_intent,
      amount,
      metadata = {},
    } = params as { payment_intent: string; amount: number; metadata?: object };
    const intent = this.get(payment_intent);
    if (intent['status'] !== 'succeeded')
      throw new Refused(
        400,
        'payment_intent_unexpected_state',
        'payment_intent',
        'There is no successful charge.',
      );
    const before = this.all('refund').filter(
      (each) => each['payment_intent'] === payment_intent && each['status'] !== 'failed',
    );
    const left =
      (intent['amount'] as number) - before.reduce((sum, each) => sum + (each['amount'] as number), 0);
    if (left === 0)
      throw new Refused(400, 'charge_already_refunded', 'payment_intent', 'It has been refunded.');
    const refusal = amountRefusal(amount, intent['currency'] as string, 'amount', 1);
    if (refusal) throw refusal;
    if (amount > left) throw new Refused(400, undefined, 'amount', `Refund amount is greater than ${left}.`);
    return this.make('refund', 're', {
      amount,
      metadata,
      payment_intent,
      currency: intent['currency'],
      charge: intent['latest_charge'],
      status: this.refundStatus,
    });
  }

  private createTransfer(params: Params): StripeObject {
    const {
      amount = 0,
      currency,
      destination,
      ...others
    } = params as {
      amount?: number;
      currency: string;
      destination: string;
    };
    const refusal = amountRefusal(amount, currency, 'amount', 1);
    if (refusal) throw refusal;
    if (destination !== CONNECTED_ACCOUNT)
      throw new Refused(400, 'resource_missing', 'destination', `No such destination: '${destination}'`);
    if (amount > this.balance)
      throw new Refused(400, 'balance_insufficient', undefined, 'Insufficient funds.');
    this.balance -= amount;
    return this.make('transfer', 'tr', { ...others, amount, currency, destination });
  }

  private updateSubscription(id: string, params: Params): StripeObject {
    if (this.get(id)['status'] === 'canceled')
      throw new Refused(
        400,
        undefined,
        'cancel_at_period_end',
        'A canceled subscription can only update its details.',
      );
    return this.patch(id, params);
  }
}

const LISTS: Record<string, string> = {
  'GET /v1/balance_transactions': 'balance_transaction',
  'GET /v1/checkout/sessions': 'checkout.session',
  'GET /v1/invoices': 'invoice',
  'GET /v1/refunds': 'refund',
  'GET /v1/transfers': 'transfer',
};
