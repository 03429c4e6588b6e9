import { defineErrors } from '../../platform/http/domain-error.js';

export const complianceErrors = defineErrors({
  SELF_EXCLUDED: {
    status: 403,
    message: 'You have excluded yourself. Nothing can be staked until the exclusion ends.',
  },
  TIMED_OUT: { status: 403, message: 'You are taking a time-out. Nothing can be staked until it ends.' },
  UNDER_AGE: { status: 403, message: 'You are not old enough to stake here.' },
  WITHDRAWAL_COOLING_OFF: {
    status: 403,
    message: 'The password was changed a while ago. Nothing can be withdrawn until details.until.',
  },
  ACCOUNT_BANNED: { status: 403, message: 'This account has been closed by the operator.' },
});
