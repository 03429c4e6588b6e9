import { defineErrors } from '../../../platform/http/domain-error.js';

export const totpErrors = defineErrors({
  SECOND_FACTOR_REQUIRED: {
    status: 401,
    message: 'Send details.challenge and a code of the second factor to POST /auth/totp/verify.',
  },
  SECOND_FACTOR_WRONG: { status: 401, message: 'The code is wrong, or was used before.' },
  CHALLENGE_INVALID: {
    status: 401,
    message: 'This challenge is unknown, answered, expired or was answered wrong too often. Sign in again.',
  },
  TOTP_CODE_WRONG: { status: 422, message: 'The code is wrong, or was used before.' },
  TOTP_ALREADY_ON: {
    status: 409,
    message: 'The second factor is on. Turn it off before you set up another.',
  },
  TOTP_NOT_ON: { status: 409, message: 'There is no second factor: set it up with POST /auth/totp first.' },
  SECOND_FACTOR_SETUP_REQUIRED: {
    status: 403,
    message: 'Your role needs a second factor for this. Set it up with POST /auth/totp.',
  },
  SECOND_FACTOR_SESSION_REQUIRED: {
    status: 403,
    message: 'Your role needs a session with a second factor for this. Sign in again, with a code.',
  },
});

/** What the guard of operations that ask for a permission may answer. */
export const secondFactorGuardErrors = [
  totpErrors.SECOND_FACTOR_SETUP_REQUIRED,
  totpErrors.SECOND_FACTOR_SESSION_REQUIRED,
] as const;
