import type { ProviderEvent, ProviderState, ProviderStatus } from '../../provider.js';
import type {
  SandboxCheckout,
  SandboxEvent,
  SandboxPayout,
  SandboxRefund,
  SandboxSubscription,
} from './sandbox.types.js';

/** The sandbox's words in those of payments. */

const STATUS: Record<(SandboxCheckout | SandboxRefund | SandboxPayout)['status'], ProviderStatus> = {
  open: 'pending',
  pending: 'pending',
  paid: 'succeeded',
  declined: 'failed',
  failed: 'failed',
  expired: 'expired',
  cancelled: 'cancelled',
};

const CHANGES = {
  'subscription.renewed': 'renewed',
  'subscription.renewal_failed': 'renewal_failed',
  'subscription.cancelled': 'cancelled',
} as const;

export function stateOf(found: SandboxCheckout | SandboxRefund | SandboxPayout): ProviderState {
  return {
    providerReference: found.id,
    status: STATUS[found.status],
    paid: found.status === 'paid' ? { amount: BigInt(found.amount), currency: found.currency } : null,
    failureCode: 'failureCode' in found ? found.failureCode : null,
    ...('subscription' in found ? { subscriptionReference: found.subscription } : {}),
    ...(found.object === 'checkout' && found.periodEnd !== null
      ? { periodEnd: new Date(found.periodEnd) }
      : {}),
  };
}

/** Signed, and so the sandbox's own; what this adapter does not know is none of its business. */
export function eventOf(event: SandboxEvent): ProviderEvent {
  const { id: eventId, type, data } = event;
  if (data.object !== 'subscription')
    return {
      eventId,
      type,
      about: data.object === 'checkout' ? 'payment' : data.object,
      providerReference: data.id,
      ourId: data.merchantReference,
      state: stateOf(data),
    };
  if (!(type in CHANGES)) return { eventId, type, about: 'nothing', providerReference: null, state: null };
  return subscriptionEvent(eventId, type as keyof typeof CHANGES, data);
}

function subscriptionEvent(
  eventId: string,
  type: keyof typeof CHANGES,
  data: SandboxSubscription,
): ProviderEvent {
  const { id, amount, currency, periodStart, periodEnd, checkout } = data;
  const renewed = type === 'subscription.renewed';
  return {
    eventId,
    type,
    about: 'subscription',
    providerReference: checkout,
    state: null,
    change: {
      kind: CHANGES[type],
      subscriptionReference: id,
      paid: renewed ? { amount: BigInt(amount), currency } : null,
      periodStart: periodStart === null ? null : new Date(periodStart),
      periodEnd: new Date(periodEnd),
    },
  };
}
