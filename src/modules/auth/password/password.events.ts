import { defineEvent } from '../../../platform/outbox/event.js';

/** A user's password is another one, and the sessions that it had opened have ended. */
export const passwordChanged = defineEvent<{ userId: string; by: 'reset' | 'change' }>(
  'auth.password-changed',
);
