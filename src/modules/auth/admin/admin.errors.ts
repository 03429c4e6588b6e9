import { defineErrors } from '../../../platform/http/domain-error.js';

export const adminErrors = defineErrors({
  NOT_YOURS_TO_JUDGE: {
    status: 403,
    message: 'You may not do this to yourself, or to someone of your rank or above.',
  },
  USER_ERASED: { status: 409, message: 'This account has been erased.' },
  BAN_END_PAST: { status: 422, message: 'A ban must end in the future.' },
});
