import { describe, expect, it } from '@jest/globals';
import { KYC_STATES, type KycEvent, kycMachine, type KycState, LIVE_STATES } from './kyc-machine.js';

const EVENTS: readonly KycEvent[] = [
  'start',
  'submit',
  'verify',
  'reject',
  'ask_again',
  'expire',
  'revoke',
  'reopen',
];

/** Written out: what is not here may not happen. */
const TABLE: Record<KycState, Partial<Record<KycEvent, KycState>>> = {
  none: { start: 'pending' },
  pending: { submit: 'in_review', verify: 'verified', reject: 'rejected', ask_again: 'resubmit' },
  in_review: { verify: 'verified', reject: 'rejected', ask_again: 'resubmit' },
  resubmit: { submit: 'in_review', verify: 'verified', reject: 'rejected' },
  verified: { expire: 'expired', revoke: 'revoked' },
  rejected: {},
  expired: {},
  revoked: { reopen: 'resubmit' },
};

describe('the way of an identity', () => {
  it.each(KYC_STATES.flatMap((state) => EVENTS.map((event) => [state, event] as const)))(
    'from %s on %s is as the table says',
    (state, event) => {
      expect(kycMachine.next(state, event)).toBe(TABLE[state][event] ?? null);
    },
  );

  it('ends where another case is begun', () => {
    expect(kycMachine.terminal).toEqual(['rejected', 'expired']);
  });

  it('is verified by a decision alone, and leaves it by time or an operator', () => {
    expect(kycMachine.from('verify')).toEqual(['pending', 'in_review', 'resubmit']);
    expect(EVENTS.filter((event) => kycMachine.next('verified', event) !== null)).toEqual([
      'expire',
      'revoke',
    ]);
  });

  it('counts as begun until it has come to an end', () => {
    expect(LIVE_STATES.toSorted()).toEqual(['in_review', 'pending', 'resubmit', 'verified']);
  });
});
