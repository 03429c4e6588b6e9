import { defineEvent } from '../../platform/outbox/event.js';

/** Somebody signed in. `newDevice`: the user has signed in before, and never from this device. */
export const sessionOpened = defineEvent<{ userId: string; sessionId: string; newDevice: boolean }>(
  'auth.session-opened',
);

/** A refresh token came twice, so that one who held it is a thief: the session is ended. */
export const sessionFamilyRevoked = defineEvent<{ userId: string; sessionId: string }>(
  'auth.session-family-revoked',
);
