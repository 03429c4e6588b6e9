import { defineErrors } from '../../../platform/http/domain-error.js';

export const passwordErrors = defineErrors({
  PASSWORD_BREACHED: {
    status: 422,
    message:
      'This password is among those that attackers try first, or is made of your own name. Choose another.',
  },
  PASSWORD_ABSENT: {
    status: 409,
    message: 'This account has no password. Ask for a link that sets one with auth/password/forgot.',
  },
});
