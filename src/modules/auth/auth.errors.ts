import { defineErrors } from '../../platform/http/domain-error.js';

export const authErrors = defineErrors({
  UNAUTHENTICATED: { status: 401, message: 'Send a valid access token as Authorization: Bearer.' },
  TOKEN_EXPIRED: {
    status: 401,
    message: 'The access token has expired. Use the refresh token for a new one.',
  },
  SESSION_ENDED: { status: 401, message: 'This session has ended. Sign in again.' },
  INVALID_CREDENTIALS: { status: 401, message: 'The email or the password is wrong.' },
  REFRESH_TOKEN_INVALID: {
    status: 401,
    message: 'The refresh token is unknown, expired or used. Sign in again.',
  },
  FORBIDDEN: { status: 403, message: 'Your role does not allow this.' },
  BANNED: { status: 403, message: 'This account has been closed by the operator.' },
  TERMS_VERSION_OUTDATED: { status: 409, message: 'Accept the terms in their current version.' },
});

/** Codes of the guards: of every operation that asks for a session, and of those that ask for a role. */
export const guardErrors = {
  session: [authErrors.UNAUTHENTICATED, authErrors.TOKEN_EXPIRED, authErrors.SESSION_ENDED],
  role: [authErrors.FORBIDDEN],
} as const;
