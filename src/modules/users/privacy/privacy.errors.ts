import { defineErrors } from '../../../platform/http/domain-error.js';

export const privacyErrors = defineErrors({
  PROOF_TOO_OLD: {
    status: 403,
    message: 'Prove who you are again (POST auth/reauthenticate, or sign in), then ask again.',
  },
  ACCOUNT_NOT_CLOSING: { status: 409, message: 'This account is not being closed.' },
  EXPORT_TOO_SOON: {
    status: 429,
    message: 'You have had an export lately. Ask for the next one after Retry-After.',
  },
  EXPORT_LINK_INVALID: {
    status: 404,
    message: 'This link is unknown or has expired. GET users/me/export gives a new one.',
  },
});
