/** The objects of the sandbox's API, as it answers and tells of them. */

export const SANDBOX_OUTCOMES = ['pay', 'decline', 'decline_then_pay', 'abandon'] as const;
/** What somebody does on the page. */
export type SandboxOutcome = (typeof SANDBOX_OUTCOMES)[number];

export const SANDBOX_DELIVERIES = ['at_once', 'late', 'twice', 'out_of_order'] as const;
/** How the merchant is told of it. */
export type SandboxDelivery = (typeof SANDBOX_DELIVERIES)[number];

export interface SandboxCheckout {
  readonly object: 'checkout';
  readonly id: string;
  /** Null for a renewal. */
  readonly merchantReference: string | null;
  readonly status: 'open' | 'paid' | 'declined' | 'expired' | 'cancelled';
  readonly amount: number;
  readonly currency: string;
  readonly failureCode: string | null;
  readonly subscription: string | null;
  /** Of a subscription's payment: until when it pays. */
  readonly periodEnd: string | null;
  readonly paidAt: string | null;
  readonly url: string;
}

export interface SandboxRefund {
  readonly object: 'refund';
  readonly id: string;
  readonly merchantReference: string;
  readonly checkout: string;
  readonly status: 'paid';
  readonly amount: number;
  readonly currency: string;
}

export interface SandboxPayout {
  readonly object: 'payout';
  readonly id: string;
  readonly merchantReference: string;
  readonly status: 'pending' | 'paid' | 'failed';
  readonly amount: number;
  readonly currency: string;
  readonly failureCode: string | null;
}

export interface SandboxSubscription {
  readonly object: 'subscription';
  readonly id: string;
  readonly status: 'active' | 'cancelled';
  readonly amount: number;
  readonly currency: string;
  /** Of a renewal: from when on it is paid. */
  readonly periodStart: string | null;
  readonly periodEnd: string;
  /** The payment of the renewal that the event is about. */
  readonly checkout: string | null;
}

export type SandboxObject = SandboxCheckout | SandboxRefund | SandboxPayout | SandboxSubscription;

export type SandboxEventType =
  | 'payment.processing'
  | 'payment.succeeded'
  | 'payment.failed'
  | 'payment.expired'
  | 'payment.cancelled'
  | 'refund.succeeded'
  | 'payout.succeeded'
  | 'payout.failed'
  | 'subscription.renewed'
  | 'subscription.renewal_failed'
  | 'subscription.cancelled';

/** The body of a webhook. */
export interface SandboxEvent {
  readonly id: string;
  readonly type: SandboxEventType;
  readonly createdAt: string;
  readonly data: SandboxObject;
}
