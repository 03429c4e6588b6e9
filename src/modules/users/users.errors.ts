import { defineErrors } from '../../platform/http/domain-error.js';

export const usersErrors = defineErrors({
  EMAIL_TAKEN: { status: 409, message: 'An account with this email exists already. Sign in instead.' },
  HANDLE_TAKEN: { status: 409, message: 'This handle is taken. Choose another.' },
  USER_NOT_FOUND: { status: 404, message: 'There is no such user.' },
});
