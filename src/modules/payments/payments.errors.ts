import { defineErrors } from '../../platform/http/domain-error.js';

export const paymentsErrors = defineErrors({
  PAYMENT_PROVIDER_UNKNOWN: {
    status: 422,
    message: 'There is no such payment provider, or it is switched off.',
  },
  PROVIDER_UNAVAILABLE: {
    status: 503,
    message: 'The payment provider cannot be reached now. Send the same request with the same key again.',
  },
  PROVIDER_CANNOT_DO: {
    status: 422,
    message: 'This payment provider does not offer that. Choose another one.',
  },
  CURRENCY_NOT_TAKEN: { status: 422, message: 'This cannot be paid in that currency.' },
  AMOUNT_OUT_OF_RANGE: { status: 422, message: 'The amount is below the minimum or above the maximum.' },
  PHONE_REQUIRED: { status: 422, message: 'This provider needs the telephone number that pays.' },
  PAYMENT_DECLINED: { status: 422, message: 'The provider declined the payment. Nothing was charged.' },
  PAYMENT_NOT_FOUND: { status: 404, message: 'There is no such payment, or it is not yours.' },
  DEPOSITS_BLOCKED: {
    status: 429,
    message: 'Too many payments have failed. Wait for the seconds told in Retry-After.',
  },
  TOO_MANY_OPEN_PAYMENTS: {
    status: 409,
    message: 'There are too many payments begun and not finished. Finish them, or wait some minutes.',
  },
  IDEMPOTENCY_IN_PROGRESS: {
    status: 409,
    message: 'A request with this key is being worked on. Send it again after a moment.',
  },
  SUBSCRIPTION_EXISTS: { status: 409, message: 'There is an active subscription already.' },
  SUBSCRIPTION_NOT_FOUND: { status: 404, message: 'There is no subscription.' },
  WEBHOOK_SIGNATURE_INVALID: {
    status: 401,
    message: 'The webhook is not signed by the provider, or too old.',
  },
  WEBHOOK_MALFORMED: { status: 400, message: 'The webhook cannot be read.' },
  PAYMENT_NOT_REFUNDABLE: {
    status: 409,
    message: 'The payment is not in a state in which it can be refunded.',
  },
  REFUND_TOO_LARGE: { status: 422, message: 'That is more than what is left of the payment.' },
  REFUND_NOT_COVERED: {
    status: 409,
    message: 'The money is no longer where the payment put it, so that it cannot be given back from there.',
  },
  DIFFERENCE_NOT_FOUND: { status: 404, message: 'There is no such open difference.' },
});
