import { defineErrors } from '../../../platform/http/domain-error.js';

export const privacyErrors = defineErrors({
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
