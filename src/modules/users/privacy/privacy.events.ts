import { defineEvent } from '../../../platform/outbox/event.js';

export const privacyEvents = {
  /** Somebody wants their data: the worker writes it. */
  exportRequested: defineEvent<{ exportId: string }>('users.export-requested'),
  exportReady: defineEvent<{ exportId: string; userId: string }>('users.export-ready'),
  /** The account is to be erased at that time, unless the user comes back before. */
  closing: defineEvent<{ userId: string; closingAt: string }>('users.closing'),
  restored: defineEvent<{ userId: string }>('users.restored'),
  /** From now on the id is a pseudonym. */
  erased: defineEvent<{ userId: string }>('users.erased'),
} as const;

/** Deadlines whose subject is a user's id. */
export const PRIVACY_DEADLINES = { erase: 'users.erase' } as const;
