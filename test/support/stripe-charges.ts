import { type Params, stripeResources } from './stripe-document.js';
import { type StripeObject, StripeObjects } from './stripe-objects.js';

const MONTH = 30 * 86_400;

/** What is made when something is paid: intents, charges, subscriptions, invoices, and entries in the books. */
export class StripeCharges extends StripeObjects {
  // What paying makes.

  protected charge(sessionId: string, status: 'succeeded' | 'pending'): void {
    const session = this.get(sessionId);
    if (session['mode'] === 'subscription') return this.subscribe(session);
    const intent = this.intentOf(session, status === 'succeeded' ? 'succeeded' : 'processing');
    this.patch(sessionId, { payment_intent: intent.id });
    if (status === 'succeeded') this.book(this.get(intent['latest_charge'] as string));
  }

  protected intentOf(session: StripeObject, status: string): StripeObject {
    const { payment_intent_data: data } = session['standIn'] as {
      payment_intent_data?: { metadata?: object };
    };
    const { amount_total: amount, currency } = session;
    return this.intent({ amount, currency, metadata: data?.metadata ?? {}, customer: null, status });
  }

  /** With its charge, to which Stripe copies the metadata. */
  private intent(fields: Params): StripeObject {
    const { amount, currency, metadata, customer, status } = fields;
    const intent = this.make('payment_intent', 'pi', { ...fields, last_payment_error: null });
    if (status === 'requires_payment_method') return intent;
    const paid = status === 'succeeded';
    const charge = this.make('charge', 'ch', {
      amount,
      currency,
      metadata,
      customer,
      payment_intent: intent.id,
      status: paid ? 'succeeded' : 'pending',
      paid,
    });
    return this.patch(intent.id, { latest_charge: charge.id });
  }

  protected book(charge: StripeObject): void {
    const { id, amount, currency } = charge;
    this.make('balance_transaction', 'txn', { amount, net: amount, currency, source: id, type: 'charge' });
  }

  private subscribe(session: StripeObject): void {
    const { subscription_data: data } = session['standIn'] as { subscription_data?: { metadata?: object } };
    const money = { amount: session['amount_total'] as number, currency: session['currency'] as string };
    const items = structuredClone(stripeResources['subscription']!['items']) as { data: Params[] };
    Object.assign(items.data[0]!, { current_period_start: this.now, current_period_end: this.now + MONTH });
    const subscription = this.make('subscription', 'sub', {
      items,
      customer: this.id('cus'),
      metadata: data?.metadata ?? {},
      status: 'active',
      cancel_at_period_end: false,
      ended_at: null,
      standIn: money,
    });
    const invoice = this.invoice(subscription, money, 'subscription_create', true);
    this.patch(session.id, {
      subscription: subscription.id,
      customer: subscription['customer'],
      invoice: invoice.id,
    });
  }

  protected invoice(
    subscription: StripeObject,
    money: { amount: number; currency: string },
    billing_reason: string,
    paid: boolean,
  ): StripeObject {
    const { amount, currency } = money;
    const { customer, metadata, id } = subscription;
    const lines = structuredClone(stripeResources['invoice']!['lines']) as { data: Params[] };
    lines.data[0]!['period'] = { start: this.now, end: this.now + MONTH };
    const invoice = this.make('invoice', 'in', {
      customer,
      currency,
      billing_reason,
      lines,
      status: paid ? 'paid' : 'open',
      amount_due: amount,
      amount_paid: paid ? amount : 0,
      total: amount,
      parent: {
        type: 'subscription_details',
        quote_details: null,
        subscription_details: { subscription: id, metadata },
      },
    });
    const status = paid ? 'succeeded' : 'requires_payment_method';
    const intent = this.intent({ amount, currency, customer, metadata: {}, status });
    this.make('invoice_payment', 'inpay', {
      invoice: invoice.id,
      currency,
      amount_paid: paid ? amount : null,
      status: paid ? 'paid' : 'open',
      payment: { type: 'payment_intent', payment_intent: intent.id },
    });
    if (paid) this.book(this.get(intent['latest_charge'] as string));
    return invoice;
  }
}
