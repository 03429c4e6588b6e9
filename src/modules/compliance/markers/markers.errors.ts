import { defineErrors } from '../../../platform/http/domain-error.js';

export const harmErrors = defineErrors({
  HARM_FLAG_NOT_FOUND: { status: 404, message: 'There is no such flag.' },
  HARM_FLAG_ALREADY_DECIDED: { status: 409, message: 'This flag has been decided already.' },
});
