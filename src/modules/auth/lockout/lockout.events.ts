import { defineEvent } from '../../../platform/outbox/event.js';

/** Wrong attempts have locked this account's sign-in: told at the first lock of a row, not at each longer one. */
export const LOCKED_OUT = defineEvent<{ userId: string }>('auth.locked-out');
