/** What every payment provider is to the rest of the module: an adapter to its documented protocol, and no more. */

/** An amount as the ledger has it: minor units of the currency, which may have none (XAF, UGX), two or three digits. */
export interface Money {
  readonly amount: bigint;
  readonly currency: string;
}

export interface CheckoutOrder extends Money {
  /** Ours; also the idempotency key at the provider: asking twice with one id makes one checkout. */
  readonly paymentId: string;
  readonly purpose: 'week_pass' | 'subscription' | 'buy_back' | 'deposit';
  readonly description: string;
  /** A hosted page sends the payer back here; mobile money ignores it. */
  readonly returnUrl: string;
  /** The payer's number in E.164, which mobile money needs. */
  readonly payerPhone: string | null;
}

/** `pending` may still become anything; the others are the provider's last word, but a late success after `expired` happens. */
export type ProviderStatus = 'pending' | 'succeeded' | 'failed' | 'expired' | 'cancelled';

export interface ProviderState {
  readonly providerReference: string;
  readonly status: ProviderStatus;
  /** What was really paid, refunded or paid out, when the provider tells. */
  readonly paid: Money | null;
  /** The provider's own reason, as a code, when it failed. */
  readonly failureCode: string | null;
  /** One try was, and the payer may try again: the payment goes on, and counts as one that failed. */
  readonly declined?: boolean;
  readonly subscriptionReference?: string | null;
  /** Of a subscription's payment: from when and until when it is paid. */
  readonly periodStart?: Date | null;
  readonly periodEnd?: Date | null;
  /**
   * Other references by which this provider's later events may speak of the same payment (at Stripe its payment intent,
   * its charge): whatever is told here is kept, and found again.
   */
  readonly alsoKnownAs?: readonly string[];
}

export interface Checkout extends ProviderState {
  /** Where the payer goes to pay; null when they confirm on their phone. */
  readonly redirectUrl: string | null;
}

export interface ProviderEvent {
  /** Unique at the provider; where it gives none, a hash of the body. */
  readonly eventId: string;
  readonly type: string;
  readonly about: 'payment' | 'refund' | 'payout' | 'subscription' | 'dispute' | 'nothing';
  /**
   * Of a payment, its own; of a refund or a payout, the one that `refund` or `payOut` answered; of a subscription, the
   * renewal's payment; of a dispute, the disputed payment (by whichever name, see `alsoKnownAs`).
   */
  readonly providerReference: string | null;
  /**
   * Our id of what the event is about (the payment's; of refunds and payouts theirs), where the provider carries it back: an
   * event may be here before the answer that would have told us the reference.
   */
  readonly ourId?: string | null;
  /** What the event itself proves; null when it only says where to look (an unsigned callback), and the provider is asked. */
  readonly state: ProviderState | null;
  /** Of a subscription or a dispute, what changed. */
  readonly change?: SubscriptionChange | DisputeChange;
}

export interface SubscriptionChange {
  readonly kind: 'renewed' | 'renewal_failed' | 'cancelled';
  readonly subscriptionReference: string;
  readonly paid: Money | null;
  /** What tells a period's payment from the one after it, when that is told first. */
  readonly periodStart?: Date | null;
  readonly periodEnd: Date | null;
}

export interface DisputeChange {
  readonly kind: 'opened' | 'funds_withdrawn' | 'funds_reinstated' | 'won' | 'lost';
  readonly disputeReference: string;
  readonly disputed: Money;
}

export interface WebhookRequest {
  readonly rawBody: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface RefundOrder extends Money {
  readonly refundId: string;
  readonly providerReference: string;
  /** What the payment was of in all: a provider that only refunds whole payments refuses any other amount, and without it. */
  readonly whole?: Money;
}

export interface PayoutOrder extends Money {
  readonly payoutId: string;
  /** What the provider pays to: a connected account, a number in E.164. */
  readonly destination: string;
  readonly description: string;
}

export interface PaymentProvider {
  readonly name: string;
  /** Currencies that it takes, as ISO 4217 codes. */
  readonly currencies: readonly string[];
  /** Whether the checkout needs the payer's phone number. */
  readonly needsPhone: boolean;
  readonly subscriptions: boolean;
  /**
   * Throws PROVIDER_UNAVAILABLE (payments.errors.ts) when it could not be asked, or its answer is not known; the checkout is then
   * asked for again under the same id. That it declined is a state: `failed`.
   */
  createCheckout(order: CheckoutOrder): Promise<Checkout>;
  /** Verifies and reads. Throws WEBHOOK_SIGNATURE_INVALID; reading never trusts what it has not verified. */
  parseWebhook(request: WebhookRequest): Promise<ProviderEvent>;
  /** The provider's present word. Null when it knows of no such payment. */
  fetchState(payment: { paymentId: string; providerReference: string | null }): Promise<ProviderState | null>;
  refund(order: RefundOrder): Promise<ProviderState>;
  fetchRefund(refund: { refundId: string; providerReference: string | null }): Promise<ProviderState | null>;
  payOut(order: PayoutOrder): Promise<ProviderState>;
  fetchPayout(payout: { payoutId: string; providerReference: string | null }): Promise<ProviderState | null>;
  /** Ends it when the paid period does. */
  cancelSubscription(subscriptionReference: string): Promise<void>;
  /** Everything it booked in the time, for reconciliation; null where its protocol has no such list. */
  list(from: Date, to: Date): AsyncIterable<ListedPayment> | null;
}

export interface ListedPayment extends ProviderState {
  readonly paymentId: string | null;
  readonly at: Date;
}
