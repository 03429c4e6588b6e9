import { defineErrors } from '../../platform/http/domain-error.js';
import { secondFactorGuardErrors } from './totp/totp.errors.js';
import { dpopErrors } from '../../platform/security/dpop.errors.js';

export const authErrors = defineErrors({
  UNAUTHENTICATED: {
    status: 401,
    message: 'Send a valid access token as Authorization: Bearer, or as DPoP when it is bound to a key.',
  },
  TOKEN_EXPIRED: {
    status: 401,
    message: 'The access token has expired. Use the refresh token for a new one.',
  },
  SESSION_ENDED: { status: 401, message: 'This session has ended. Sign in again.' },
  REAUTHENTICATION_REQUIRED: {
    status: 403,
    message: 'Nobody has used this session for a while: it may only read until POST auth/reauthenticate.',
  },
  INVALID_CREDENTIALS: { status: 401, message: 'The email or the password is wrong.' },
  REFRESH_TOKEN_INVALID: {
    status: 401,
    message: 'The refresh token is unknown, expired or used. Sign in again.',
  },
  FORBIDDEN: { status: 403, message: 'Your role does not allow this.' },
  BANNED: {
    status: 403,
    message: 'The operator has banned this account; details.until tells when the ban ends, if ever.',
  },
  REGISTRATION_REQUIRED: {
    status: 409,
    message: 'This proof belongs to no account yet. Send it again with `account` to open one.',
  },
  TERMS_VERSION_OUTDATED: { status: 409, message: 'Accept the terms in their current version.' },
});

/** Codes of the guards: of every operation that asks for a session, and of those that ask for a permission. */
export const guardErrors = {
  session: [
    authErrors.UNAUTHENTICATED,
    authErrors.TOKEN_EXPIRED,
    authErrors.SESSION_ENDED,
    dpopErrors.DPOP_PROOF_INVALID,
  ],
  /** Of those that write, unless an idle session may call them. */
  writing: [authErrors.REAUTHENTICATION_REQUIRED],
  permission: [authErrors.FORBIDDEN, ...secondFactorGuardErrors],
} as const;
