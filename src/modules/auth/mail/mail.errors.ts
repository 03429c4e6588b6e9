import { defineErrors } from '../../../platform/http/domain-error.js';

export const mailErrors = defineErrors({
  LINK_INVALID: {
    status: 422,
    message: 'This link is unknown, expired, used or replaced by a newer one. Ask for another.',
  },
  EMAIL_MISSING: { status: 409, message: 'This account has no email.' },
  EMAIL_ALREADY_VERIFIED: { status: 409, message: 'The email of this account is verified already.' },
});
