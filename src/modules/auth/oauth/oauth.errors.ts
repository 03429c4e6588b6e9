import { defineErrors } from '../../../platform/http/domain-error.js';

export const oauthErrors = defineErrors({
  PROVIDER_UNKNOWN: { status: 404, message: 'There is no signing in by this provider here.' },
  REDIRECT_NOT_ALLOWED: {
    status: 422,
    message: 'redirectTo is not one of the addresses that the operator allows (OAUTH_REDIRECT_URLS).',
  },
  OAUTH_STATE_INVALID: {
    status: 400,
    message: 'This sign-in was not begun in this browser, has expired, or was answered before. Begin again.',
  },
  OAUTH_DENIED: { status: 403, message: 'The user did not agree at the provider.' },
  OAUTH_FAILED: { status: 401, message: 'The provider answered something that proves nothing. Begin again.' },
  ID_TOKEN_INVALID: {
    status: 401,
    message:
      'The ID token is not one of this provider for this application, or is too old. See details.problem.',
  },
  ID_TOKEN_USED: { status: 401, message: 'This ID token has been used. Ask the provider for a new one.' },
  TICKET_INVALID: {
    status: 401,
    message: 'The ticket is unknown, expired, used or another app’s. Begin again.',
  },
  ACCOUNT_LINK_REQUIRED: {
    status: 409,
    message:
      'An account with this email exists. Sign in to it another way, then link the provider with this same proof.',
  },
  IDENTITY_TAKEN: { status: 409, message: 'This account at the provider belongs to another user here.' },
  PROVIDER_ALREADY_LINKED: {
    status: 409,
    message: 'Another account at this provider is linked already. Unlink it first.',
  },
  PROVIDER_NOT_LINKED: { status: 404, message: 'No account at this provider is linked.' },
  LAST_WAY_IN: {
    status: 409,
    message: 'This is the only way into the account. Add a password, a phone or another provider first.',
  },
});
