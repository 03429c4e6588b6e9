import { defineErrors } from '../../../platform/http/domain-error.js';

export const sessionErrors = defineErrors({
  SESSION_NOT_FOUND: { status: 404, message: 'There is no such session of yours, or it has ended.' },
  IDLE_TIMEOUT_TOO_LONG: {
    status: 422,
    message: 'The operator allows less; a user may only shorten it. details.max tells the longest.',
  },
  PROOF_TOO_OLD: {
    status: 403,
    message:
      'Prove who you are again (POST auth/reauthenticate, auth/otp/reauthenticate, auth/oauth/:provider/reauthenticate), then ask again.',
  },
});
