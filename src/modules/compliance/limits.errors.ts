import { defineErrors } from '../../platform/http/domain-error.js';

/** Why money is not let through. */
export const limitErrors = defineErrors({
  LIMIT_EXCEEDED: {
    status: 422,
    message: 'This would go beyond a limit: details.available is left of it, until details.resetsAt.',
  },
  LIMIT_REQUIRED: {
    status: 422,
    message:
      'Where you are this takes a limit of your own: set one of details.kind with PUT compliance/limits.',
  },
});

/** Why a limit is not changed. */
export const limitChangeErrors = defineErrors({
  LIMIT_NOT_FOUND: { status: 404, message: 'You have no such limit.' },
  LIMIT_CURRENCY_NOT_TAKEN: {
    status: 422,
    message: 'Nothing can be paid in this currency; details.taken names those that can.',
  },
  LIMIT_NOT_REQUESTED: { status: 409, message: 'Nothing waits to be confirmed: ask again.' },
  LIMIT_STILL_WAITING: { status: 409, message: 'This can be confirmed from details.confirmFrom on.' },
});
