import { defineEvent } from '../../platform/outbox/event.js';

/** A webhook was stored and waits to be applied. */
export const providerEventReceived = defineEvent<{ id: string }>('payments.provider-event-received');

/** Money was set aside to be given back: the provider is to be asked. */
export const refundRequested = defineEvent<{ refundId: string }>('payments.refund-requested');

/** A subscription is to end with the period that is paid: the provider is to be told. */
export const subscriptionEnding = defineEvent<{ subscriptionId: string }>('payments.subscription-ending');

/** The provider's word on a payment was booked, or its money went back. */
export const paymentChanged = defineEvent<{
  paymentId: string;
  userId: string;
  purpose: string;
  status: string;
}>('payments.payment-changed');
