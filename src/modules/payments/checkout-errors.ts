import { complianceErrors } from '../compliance/compliance.errors.js';
import { kycRequiredErrors } from '../compliance/kyc.errors.js';
import { limitErrors } from '../compliance/limits.errors.js';
import { paymentsErrors } from './payments.errors.js';

/** Everything that beginning a payment may be refused with, but for what the module says whose thing is bought. */
export const checkoutErrors = [
  paymentsErrors.CURRENCY_NOT_TAKEN,
  paymentsErrors.AMOUNT_OUT_OF_RANGE,
  paymentsErrors.PAYMENT_PROVIDER_UNKNOWN,
  paymentsErrors.PROVIDER_CANNOT_DO,
  paymentsErrors.PHONE_REQUIRED,
  ...Object.values(complianceErrors),
  ...Object.values(limitErrors),
  kycRequiredErrors.KYC_REQUIRED,
  paymentsErrors.DEPOSITS_BLOCKED,
  paymentsErrors.TOO_MANY_OPEN_PAYMENTS,
  paymentsErrors.SUBSCRIPTION_EXISTS,
  paymentsErrors.PAYMENT_DECLINED,
  paymentsErrors.PROVIDER_UNAVAILABLE,
  paymentsErrors.IDEMPOTENCY_IN_PROGRESS,
];
