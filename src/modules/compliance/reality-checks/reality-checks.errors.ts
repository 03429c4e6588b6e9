import { defineErrors } from '../../../platform/http/domain-error.js';

export const realityCheckErrors = defineErrors({
  REALITY_CHECK_TOO_SELDOM: {
    status: 422,
    message: 'Where you are, reality checks come every details.maximum minutes at least.',
  },
  PLAY_SESSION_OVER: { status: 409, message: 'The session has ended meanwhile. Sign in again.' },
});
