import { defineEvent } from '../../platform/outbox/event.js';

/** Somebody signed in. `newDevice`: the user has signed in before, and never from this device. */
export const sessionOpened = defineEvent<{ userId: string; sessionId: string; newDevice: boolean }>(
  'auth.session-opened',
);

/** A refresh token came twice, so that one who held it is a thief: the session is ended. */
export const sessionFamilyRevoked = defineEvent<{ userId: string; sessionId: string }>(
  'auth.session-family-revoked',
);

/** What may change about the ways into an account. */
export type AccountChange =
  | 'phoneChanged'
  | 'providerLinked'
  | 'providerUnlinked'
  | 'secondFactorOn'
  | 'secondFactorOff'
  | 'secondFactorRemoved'
  | 'recoveryCodeUsed'
  | 'recoveryCodesRenewed';

/** By another way than before somebody may now enter the account, or no longer. */
export const accountChanged = defineEvent<{ userId: string; change: AccountChange }>('auth.account-changed');
