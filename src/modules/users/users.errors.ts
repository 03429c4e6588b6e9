import { defineErrors } from '../../platform/http/domain-error.js';

export const usersErrors = defineErrors({
  EMAIL_TAKEN: { status: 409, message: 'An account with this email exists already. Sign in instead.' },
  HANDLE_RESERVED: { status: 422, message: 'This handle is kept for the operator. Choose another.' },
  HANDLE_TAKEN: { status: 409, message: 'This handle is taken. Choose another.' },
  PASSWORD_WRONG: { status: 403, message: 'This is not the password of the account.' },
  USER_NOT_FOUND: { status: 404, message: 'There is no such user.' },
});
