import { defineErrors } from '../http/domain-error.js';

export const dpopErrors = defineErrors({
  DPOP_PROOF_INVALID: {
    status: 401,
    message:
      'Send a DPoP proof (RFC 9449) of the session’s key, new for each request; details.problem names what is wrong.',
  },
});
