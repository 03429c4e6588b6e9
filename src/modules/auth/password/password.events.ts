import { defineEvent } from '../../../platform/outbox/event.js';

/** Who reads an account's address has proved it for the first time; what others had added to enter it by is gone. */
export const accountReclaimed = defineEvent<{ userId: string }>('auth.account-reclaimed');

/** A user's password is another one, and the sessions that it had opened have ended. */
export const passwordChanged = defineEvent<{ userId: string; by: 'reset' | 'change' }>(
  'auth.password-changed',
);
