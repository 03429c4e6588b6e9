import { defineErrors, type ErrorFactory } from '../../platform/http/domain-error.js';

/** What bars a user from staking and from paying for it: the codes of `compliance_refusal`. */
export const complianceErrors = defineErrors({
  SELF_EXCLUDED: {
    status: 403,
    message: 'You have excluded yourself. Nothing can be staked or paid until you have come back.',
  },
  TIMED_OUT: { status: 403, message: 'You are taking a time-out. Nothing can be staked until it ends.' },
  UNDER_AGE: { status: 403, message: 'You are not old enough to stake here.' },
  ACCOUNT_BANNED: { status: 403, message: 'This account has been closed by the operator.' },
});

/** Why nobody comes back now. */
export const returnErrors = defineErrors({
  NOT_SELF_EXCLUDED: { status: 409, message: 'You are not excluded.' },
  EXCLUSION_NOT_OVER: {
    status: 409,
    message: 'The term that you chose runs until details.until. Ask again then.',
  },
  EXCLUSION_PERMANENT: { status: 409, message: 'You have excluded yourself for ever.' },
});

export const withdrawalRulesErrors = defineErrors({
  WITHDRAWAL_COOLING_OFF: {
    status: 403,
    message: 'The password was changed a while ago. Nothing can be withdrawn until details.until.',
  },
});

/** The error of a code that `compliance_refusal` answered. */
export function barredError(code: string): Error {
  const refusal = (complianceErrors as Readonly<Record<string, ErrorFactory>>)[code];
  return refusal ? refusal() : new Error(`compliance_refusal says ${code}`);
}
