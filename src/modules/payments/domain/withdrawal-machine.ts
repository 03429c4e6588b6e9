import { defineMachine } from '../../../platform/state-machine.js';

export const WITHDRAWAL_STATES = [
  'requested',
  'approved',
  'paying',
  'paid',
  'rejected',
  'failed',
  'returned',
] as const;
export type WithdrawalState = (typeof WITHDRAWAL_STATES)[number];
export type WithdrawalEvent = 'approve' | 'reject' | 'submit' | 'hold_back' | 'confirm' | 'fail' | 'return';

/** States in which the money is held, and nobody knows yet where it ends. */
export const OPEN_STATES: readonly WithdrawalState[] = ['requested', 'approved', 'paying'];

/**
 * `requested` waits for an operator; `paying` is from before the provider is asked until its last word, so that what a crash
 * leaves there may have been paid or not. `returned`: paid, and come back from the bank. Who was banned since it was approved waits
 * for an operator again.
 */
export const withdrawalMachine = defineMachine<WithdrawalState, WithdrawalEvent>('withdrawal', {
  initial: 'requested',
  transitions: {
    requested: { approve: 'approved', reject: 'rejected' },
    approved: { submit: 'paying', hold_back: 'requested' },
    paying: { confirm: 'paid', fail: 'failed' },
    paid: { return: 'returned' },
    rejected: {},
    failed: {},
    returned: {},
  },
});
