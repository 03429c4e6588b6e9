import Stripe from 'stripe';
import { parse, version } from 'uuid';
import type { Clock } from '../../../../platform/clock/clock.js';
import type { AppConfig } from '../../../../platform/config/app-config.js';
import { paymentsErrors } from '../../payments.errors.js';
import type {
  Checkout,
  CheckoutOrder,
  ListedPayment,
  PaymentProvider,
  PayoutOrder,
  ProviderEvent,
  ProviderState,
  RefundOrder,
  WebhookRequest,
} from '../../provider.js';
import { STRIPE_CURRENCIES, toStripe } from './stripe-amounts.js';
import { StripeBookings } from './stripe-bookings.js';
import { stripeClient } from '../../../../platform/stripe/stripe-client.js';
import { readEvent } from './stripe-events.js';
import { asking, askingFor, refusable, refused } from './stripe-failures.js';
import {
  idOf,
  intentsOf,
  stateOfInvoice,
  stateOfRefund,
  stateOfSession,
  stateOfTransfer,
} from './stripe-states.js';

/** Seconds that a delivery may be old, which is what Stripe advises. */
const TOLERANCE_SECONDS = 300;
/** Seconds by which Stripe's clock and the one our ids were made by may differ. */
const CLOCKS_DIFFER_SECONDS = 600;
/** Seconds for which Stripe surely knows a key: it keeps them for a day at least. */
const KEY_SECONDS = 20 * 3600;

/**
 * Stripe, by its own library: hosted Checkout for paying, Connect for paying out. A payment's reference is its Checkout
 * Session (`cs_…`), and a renewal's its invoice (`in_…`); every effect is asked for under our id as idempotency key, and
 * carries our id in its metadata, by which it is found when the answer was lost.
 */
export class StripeProvider implements PaymentProvider {
  readonly name = 'stripe';
  readonly currencies = STRIPE_CURRENCIES;
  readonly needsPhone = false;
  readonly subscriptions = true;
  private readonly stripe: Stripe;
  private readonly bookings: StripeBookings;
  private readonly webhookSecret: string;

  constructor(
    keys: { readonly secretKey: string; readonly webhookSecret: string },
    config: AppConfig,
    private readonly clock: Clock,
  ) {
    this.stripe = stripeClient(keys.secretKey, config);
    this.bookings = new StripeBookings(this.stripe);
    this.webhookSecret = keys.webhookSecret;
  }

  async createCheckout(order: CheckoutOrder): Promise<Checkout> {
    const { paymentId } = order;
    const answer = await refusable(
      paymentId,
      'order',
      async () => this.stripe.checkout.sessions.create(sessionOf(order), { idempotencyKey: paymentId }),
      (session) => ({ ...stateOfSession(session), redirectUrl: session.url }),
    );
    return { redirectUrl: null, ...answer };
  }

  async parseWebhook({ rawBody, headers }: WebhookRequest): Promise<ProviderEvent> {
    const read = readEvent(this.verified(rawBody, headers['stripe-signature']));
    return read.about === 'dispute' ? await this.withPayment(read) : read;
  }

  async fetchState(payment: {
    paymentId: string;
    providerReference: string | null;
  }): Promise<ProviderState | null> {
    const { providerReference } = payment;
    if (providerReference?.startsWith('in_')) {
      const invoice = await this.invoice(providerReference);
      return invoice && stateOfInvoice(invoice);
    }
    const reference = providerReference?.startsWith('cs_')
      ? providerReference
      : await this.sessionOfPayment(payment.paymentId);
    const session = reference === null ? null : await this.session(reference);
    return session && stateOfSession(session);
  }

  async refund(order: RefundOrder): Promise<ProviderState> {
    const { refundId, providerReference, currency } = order;
    const known = this.mayBeForgotten(refundId)
      ? await this.fetchRefund({ refundId, providerReference: null })
      : null;
    if (known) return known;
    const paid = await this.paidBy(providerReference);
    if (paid?.currency !== currency) return refused(refundId, 'not_refundable');
    return await refusable(
      refundId,
      'money',
      async () => {
        const { amount } = toStripe(order);
        return this.stripe.refunds.create(
          { payment_intent: paid.intent, amount, metadata: { refundId } },
          { idempotencyKey: refundId },
        );
      },
      stateOfRefund,
    );
  }

  async fetchRefund(refund: {
    refundId: string;
    providerReference: string | null;
  }): Promise<ProviderState | null> {
    const { refundId, providerReference } = refund;
    if (providerReference?.startsWith('re_')) {
      const found = await askingFor(async () => this.stripe.refunds.retrieve(providerReference));
      return found && stateOfRefund(found);
    }
    // Refunds cannot be searched: those since our id was made are looked through, newest first.
    const made = madeAt(refundId);
    const created = { gte: (made ?? CLOCKS_DIFFER_SECONDS) - CLOCKS_DIFFER_SECONDS };
    const list = this.stripe.refunds.list({ limit: 100, created });
    const found = await asking(async () => firstOf(list, (each) => each.metadata?.['refundId'] === refundId));
    return found && stateOfRefund(found);
  }

  /**
   * A transfer to the user's connected account, from where Stripe pays their bank by itself. Not a payout: `POST /v1/payouts`
   * pays the bank account of whoever's key it is, so that it would send our own money to ourselves.
   */
  async payOut(order: PayoutOrder): Promise<ProviderState> {
    const { payoutId, destination, description } = order;
    const known = this.mayBeForgotten(payoutId)
      ? await this.fetchPayout({ payoutId, providerReference: null })
      : null;
    if (known) return known;
    return await refusable(
      payoutId,
      'money',
      async () =>
        this.stripe.transfers.create(
          { ...toStripe(order), destination, description, transfer_group: payoutId, metadata: { payoutId } },
          { idempotencyKey: payoutId },
        ),
      stateOfTransfer,
    );
  }

  async fetchPayout(payout: {
    payoutId: string;
    providerReference: string | null;
  }): Promise<ProviderState | null> {
    const { payoutId, providerReference } = payout;
    if (providerReference?.startsWith('tr_')) {
      const found = await askingFor(async () => this.stripe.transfers.retrieve(providerReference));
      return found && stateOfTransfer(found);
    }
    const { data } = await asking(async () =>
      this.stripe.transfers.list({ transfer_group: payoutId, limit: 1 }),
    );
    return data[0] ? stateOfTransfer(data[0]) : null;
  }

  async cancelSubscription(subscriptionReference: string): Promise<void> {
    const subscription = await asking(async () => this.stripe.subscriptions.retrieve(subscriptionReference));
    if (subscription.status === 'canceled' || subscription.cancel_at_period_end) return;
    await asking(async () =>
      this.stripe.subscriptions.update(subscriptionReference, { cancel_at_period_end: true }),
    );
  }

  list(from: Date, to: Date): AsyncIterable<ListedPayment> {
    return this.bookings.between(from, to);
  }

  private verified(rawBody: Buffer, signature: string | string[] | undefined): Stripe.Event {
    const header = typeof signature === 'string' ? signature : '';
    let event: Stripe.Event;
    try {
      event = this.stripe.webhooks.constructEvent(rawBody, header, this.webhookSecret, TOLERANCE_SECONDS);
    } catch (error) {
      if (error instanceof Stripe.errors.StripeSignatureVerificationError)
        throw paymentsErrors.WEBHOOK_SIGNATURE_INVALID({ problem: error.message.split('\n', 1)[0] });
      throw paymentsErrors.WEBHOOK_MALFORMED(); // signed, and no JSON, or of the kind that carries no object
    }
    const whole = typeof event?.id === 'string' && typeof event.data?.object === 'object';
    if (!whole) throw paymentsErrors.WEBHOOK_MALFORMED();
    return event;
  }

  /** What was asked for so long ago that its key may do it again is looked for first. */
  private mayBeForgotten(id: string): boolean {
    const made = madeAt(id);
    return made === null || this.clock.now().getTime() / 1000 - made > KEY_SECONDS;
  }

  /** A dispute names a charge; who has to hear of it knows the payment. Disputes are rare, so that asking delays no other event. */
  private async withPayment(event: ProviderEvent): Promise<ProviderEvent> {
    const { providerReference } = event;
    const payment = providerReference === null ? null : await this.bookings.paymentOf(providerReference);
    return payment ? { ...event, providerReference: payment.reference, ourId: payment.paymentId } : event;
  }

  private async session(reference: string): Promise<Stripe.Checkout.Session | null> {
    return await askingFor(async () =>
      this.stripe.checkout.sessions.retrieve(reference, {
        expand: ['payment_intent', 'subscription', 'invoice.payments'],
      }),
    );
  }

  private async invoice(reference: string): Promise<Stripe.Invoice | null> {
    return await askingFor(async () => this.stripe.invoices.retrieve(reference, { expand: ['payments'] }));
  }

  /**
   * The session of a checkout whose answer was lost. Sessions themselves cannot be searched, but what is paid in them has our id,
   * and one that nobody was sent to cannot have been paid.
   */
  private async sessionOfPayment(paymentId: string): Promise<string | null> {
    const query = `metadata['paymentId']:'${paymentId}'`;
    const intents = await asking(async () => this.stripe.paymentIntents.search({ query, limit: 1 }));
    if (intents.data[0]) return idOf(await this.bookings.sessionBy({ payment_intent: intents.data[0].id }));
    const begun = await asking(async () => this.stripe.subscriptions.search({ query, limit: 1 }));
    return begun.data[0] ? idOf(await this.bookings.sessionBy({ subscription: begun.data[0].id })) : null;
  }

  /** What Stripe gives back from: the intent that paid the session, or the invoice. */
  private async paidBy(reference: string): Promise<{ intent: string; currency: string } | null> {
    const session = reference.startsWith('cs_') ? await this.session(reference) : null;
    const invoice = reference.startsWith('in_')
      ? await this.invoice(reference)
      : typeof session?.invoice === 'object'
        ? session.invoice
        : null;
    const intent =
      idOf(session?.payment_intent) ??
      (invoice ? intentsOf(invoice).find((id) => id.startsWith('pi_')) : null);
    const currency = session?.currency ?? invoice?.currency;
    return intent && currency ? { intent, currency: currency.toUpperCase() } : null;
  }
}

function sessionOf(order: CheckoutOrder): Stripe.Checkout.SessionCreateParams {
  const { paymentId, purpose, description, returnUrl } = order;
  const { amount, currency } = toStripe(order);
  const metadata = { paymentId };
  const monthly = purpose === 'subscription';
  // No expires_at: it would be another time at every try, and the key takes nothing but the same request. Stripe's is a day.
  return {
    mode: monthly ? 'subscription' : 'payment',
    client_reference_id: paymentId,
    metadata,
    line_items: [
      {
        quantity: 1,
        price_data: {
          currency,
          unit_amount: amount,
          product_data: { name: description },
          ...(monthly ? { recurring: { interval: 'month' } } : {}),
        },
      },
    ],
    ...(monthly
      ? { subscription_data: { description, metadata } }
      : { payment_intent_data: { description, metadata } }),
    success_url: returnUrl,
    cancel_url: returnUrl,
  };
}

async function firstOf<T>(list: AsyncIterable<T>, is: (item: T) => boolean): Promise<T | null> {
  for await (const item of list) if (is(item)) return item;
  return null;
}

/** The second in which an id of version 7 was made; null of another. */
function madeAt(id: string): number | null {
  return version(id) === 7 ? Math.floor(Buffer.from(parse(id)).readUIntBE(0, 6) / 1000) : null;
}
