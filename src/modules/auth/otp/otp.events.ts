import { defineEvent } from '../../../platform/outbox/event.js';

/** Somebody asked for a code. Neither it nor the number travels: the worker makes the one and decrypts the other. */
export const OTP_REQUESTED = defineEvent<{ challengeId: string }>('auth.otp-requested');
