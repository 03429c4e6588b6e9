import { defineErrors } from '../../../platform/http/domain-error.js';

export const profilesErrors = defineErrors({
  HANDLE_CHANGED_RECENTLY: {
    status: 409,
    message: 'The handle was changed not long ago. It can be changed again at the time told.',
  },
  SPORT_UNKNOWN: { status: 422, message: 'There is no such sport here. Choose from those told.' },
});
