import { defineErrors, type ErrorDetails, type ErrorFactory } from '../../platform/http/domain-error.js';
import type { OperationClass, Product } from '../../platform/security/operates.decorator.js';

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

/** What else the rules of play refuse: where somebody is, what is not known of them, what they have not acknowledged. */
export const policyErrors = defineErrors({
  GEO_BLOCKED: {
    status: 451,
    message: 'This is not offered where you are; details.product names what is not, null is all of it.',
  },
  AGE_NOT_VERIFIED: {
    status: 403,
    message: 'Your age has to be verified here before anything is staked or paid in: POST compliance/kyc.',
  },
  REALITY_CHECK_DUE: {
    status: 403,
    message: 'You have played for a while. Acknowledge it first: POST compliance/reality-check/acknowledge.',
  },
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

const ofPlay = [...Object.values(complianceErrors), ...Object.values(policyErrors)];
const ofPlace = [policyErrors.GEO_BLOCKED];

/** The codes of the policy, by what an operation was declared to be. */
export function playErrors(operation: OperationClass, product: Product | null): readonly ErrorFactory[] {
  if (operation === 'stake' || operation === 'deposit') return ofPlay;
  if (operation === 'social') return [...ofPlace, complianceErrors.SELF_EXCLUDED];
  return operation === 'read' || product !== null ? ofPlace : [];
}

/** The error of a code that `compliance_refusal` or the policy answered. */
export function barredError(code: string, details?: ErrorDetails): Error {
  const known: Readonly<Record<string, ErrorFactory>> = { ...complianceErrors, ...policyErrors };
  const refusal = known[code];
  return refusal ? refusal(details) : new Error(`there is no refusal ${code}`);
}
