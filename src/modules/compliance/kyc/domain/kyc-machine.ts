import { defineMachine } from '../../../../platform/state-machine.js';

/** Of a user `none` is having no case; of a case all others. */
export const KYC_STATES = [
  'none',
  'pending',
  'in_review',
  'resubmit',
  'verified',
  'rejected',
  'expired',
  'revoked',
] as const;
export type KycState = (typeof KYC_STATES)[number];

export type KycEvent =
  'start' | 'submit' | 'verify' | 'reject' | 'ask_again' | 'expire' | 'revoke' | 'reopen';

/**
 * How somebody's identity becomes known, and is known no longer. A provider may decide what it was never told to have been submitted,
 * since its words come in any order. After `rejected` and `expired` another case is begun; `revoked` is left by an operator alone.
 */
export const kycMachine = defineMachine<KycState, KycEvent>('kyc', {
  initial: 'none',
  transitions: {
    none: { start: 'pending' },
    pending: { submit: 'in_review', verify: 'verified', reject: 'rejected', ask_again: 'resubmit' },
    in_review: { verify: 'verified', reject: 'rejected', ask_again: 'resubmit' },
    resubmit: { submit: 'in_review', verify: 'verified', reject: 'rejected' },
    verified: { expire: 'expired', revoke: 'revoked' },
    rejected: {},
    expired: {},
    revoked: { reopen: 'resubmit' },
  },
});

/** What waits for the user. */
export const WAITING_STATES: readonly KycState[] = ['pending', 'resubmit'];
/** One of a user's cases at most. */
export const LIVE_STATES: readonly KycState[] = [...WAITING_STATES, 'in_review', 'verified'];
