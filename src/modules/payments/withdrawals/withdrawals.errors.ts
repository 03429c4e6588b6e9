import { defineErrors } from '../../../platform/http/domain-error.js';

export const withdrawalsErrors = defineErrors({
  WITHDRAWAL_NOT_FOUND: { status: 404, message: 'There is no such withdrawal.' },
  WITHDRAWAL_ALREADY_DECIDED: { status: 409, message: 'The withdrawal was decided already.' },
  WITHDRAWAL_OWN: { status: 403, message: 'Somebody else has to decide your own withdrawal.' },
  WITHDRAWAL_NOT_IN_REVIEW: {
    status: 409,
    message: 'There is nothing about the withdrawal to be looked at.',
  },
  TOO_MANY_OPEN_WITHDRAWALS: {
    status: 409,
    message: 'There are too many withdrawals under way. Wait until one of them is paid.',
  },
});
