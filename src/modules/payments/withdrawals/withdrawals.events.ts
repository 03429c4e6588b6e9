import { defineEvent } from '../../../platform/outbox/event.js';
import type { WithdrawalState } from '../domain/withdrawal-machine.js';

/** It may be paid out now. */
export const withdrawalApproved = defineEvent<{ withdrawalId: string }>('payments.withdrawal-approved');

/** What its user should hear of. */
export const withdrawalChanged = defineEvent<{
  withdrawalId: string;
  userId: string;
  status: WithdrawalState;
}>('payments.withdrawal-changed');

/** When a provider is asked what became of a payout. */
export const WITHDRAWAL_DEADLINES = { ask: 'withdrawal.ask' } as const;
