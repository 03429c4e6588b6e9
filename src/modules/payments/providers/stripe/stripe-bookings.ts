import type Stripe from 'stripe';
import type { ListedPayment } from '../../provider.js';
import { fromStripe } from './stripe-amounts.js';
import { asking, askingFor } from './stripe-failures.js';
import { idOf, intentsOf, subscriptionOf } from './stripe-states.js';

const PAGE = 100;
/** A session is open for a day at most, so that what is paid in it was charged within one. */
const SESSION_SECONDS = 25 * 3600;
/** How money comes in is called so in the balance: by card, and by other methods. */
const MONEY_IN = new Set(['charge', 'payment']);

interface Payment {
  readonly reference: string;
  readonly paymentId: string | null;
  readonly subscription: string | null;
}

/** Finds the payment of ours behind what Stripe calls a charge. */
export class StripeBookings {
  constructor(private readonly stripe: Stripe) {}

  /** Of a dispute: the session, or the renewal's invoice. Null for a charge that was no payment of ours. */
  async paymentOf(named: string): Promise<Payment | null> {
    const isIntent = named.startsWith('pi_');
    const charge = isIntent ? null : await askingFor(async () => this.stripe.charges.retrieve(named));
    const intent = isIntent ? named : idOf(charge?.payment_intent);
    if (intent === null) return null; // Checkout always makes one
    const session = await this.sessionBy({ payment_intent: intent });
    if (session) return paymentOfSession(session);
    const found = await askingFor(async () => this.stripe.paymentIntents.retrieve(intent));
    return await this.invoiced(idOf(found?.customer), intent);
  }

  /**
   * Everything booked in the time, newest first. The balance is asked and not the charges: what a bank confirms days later is
   * booked then.
   */
  async *between(from: Date, to: Date): AsyncGenerator<ListedPayment> {
    const sessions = new NewestSessions(this.stripe);
    const created = { gte: secondsOf(from), lt: secondsOf(to) };
    const expand = ['data.source'];
    const booked = paged(() => this.stripe.balanceTransactions.list({ created, limit: PAGE, expand }));
    for await (const transaction of booked) {
      const { source } = transaction;
      if (!MONEY_IN.has(transaction.type) || typeof source !== 'object' || source?.object !== 'charge')
        continue;
      yield await this.listed(source, new Date(transaction.created * 1000), sessions);
    }
  }

  private async listed(charge: Stripe.Charge, at: Date, sessions: NewestSessions): Promise<ListedPayment> {
    const intent = idOf(charge.payment_intent);
    const session = intent === null ? null : await sessions.paidBy(intent, charge.created);
    const payment = session ? paymentOfSession(session) : await this.invoiced(idOf(charge.customer), intent);
    return {
      providerReference: payment?.reference ?? intent ?? charge.id,
      paymentId: payment?.paymentId ?? charge.metadata['paymentId'] ?? null,
      status: 'succeeded',
      paid: fromStripe(charge.amount, charge.currency),
      failureCode: null,
      subscriptionReference: payment?.subscription ?? null,
      alsoKnownAs: [intent, charge.id].filter((id) => id !== null),
      at,
    };
  }

  /** Among the invoices of the customer that the checkout made for one subscription. */
  private async invoiced(customer: string | null, intent: string | null): Promise<Payment | null> {
    if (customer === null || intent === null) return null;
    const expand = ['data.payments'];
    for await (const invoice of paged(() => this.stripe.invoices.list({ customer, limit: PAGE, expand }))) {
      if (!intentsOf(invoice).includes(intent)) continue;
      const subscription = subscriptionOf(invoice);
      const first = invoice.billing_reason === 'subscription_create' && subscription !== null;
      const session = first ? await this.sessionBy({ subscription }) : null;
      return session ? paymentOfSession(session) : { reference: invoice.id, paymentId: null, subscription };
    }
    return null;
  }

  async sessionBy(
    by: { payment_intent: string } | { subscription: string },
  ): Promise<Stripe.Checkout.Session | null> {
    const found = await askingFor(async () => this.stripe.checkout.sessions.list({ ...by, limit: 1 }));
    return found?.data[0] ?? null;
  }
}

/** Sessions by what paid them, read from the newest down, as far as somebody asks: not one question for each charge. */
class NewestSessions {
  private readonly byIntent = new Map<string, Stripe.Checkout.Session>();
  private readonly rest: AsyncGenerator<Stripe.Checkout.Session, void>;
  private reached = Number.POSITIVE_INFINITY;

  constructor(stripe: Stripe) {
    this.rest = paged(() => stripe.checkout.sessions.list({ limit: PAGE }));
  }

  async paidBy(intent: string, charged: number): Promise<Stripe.Checkout.Session | null> {
    while (!this.byIntent.has(intent) && this.reached > charged - SESSION_SECONDS) {
      const next = await this.rest.next();
      if (next.done === true) break;
      this.reached = next.value.created;
      const paidBy = idOf(next.value.payment_intent);
      if (paidBy !== null) this.byIntent.set(paidBy, next.value);
    }
    return this.byIntent.get(intent) ?? null;
  }
}

/**
 * Stripe's own paging, whose failures are told as those of one question are. The library asks for the first page as soon as a
 * list is named, so that it is named no sooner than somebody reads.
 */
async function* paged<T>(list: () => AsyncIterable<T>): AsyncGenerator<T, void> {
  const items = list()[Symbol.asyncIterator]();
  for (;;) {
    const next = await asking(async () => items.next());
    if (next.done === true) return;
    yield next.value;
  }
}

function paymentOfSession(session: Stripe.Checkout.Session): Payment {
  return {
    reference: session.id,
    paymentId: session.metadata?.['paymentId'] ?? null,
    subscription: idOf(session.subscription),
  };
}

/** Stripe counts whole seconds, so that of the bounds each is the first whole one at or after it. */
function secondsOf(at: Date): number {
  return Math.ceil(at.getTime() / 1000);
}
