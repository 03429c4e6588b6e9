import { defineEvent } from '../../../platform/outbox/event.js';

/**
 * Somebody has tried to open an account with an address that can have no other. `userId`: whose it is, when they are to be
 * told; published all the same when they are not, or when nobody's it is, so that the caller's wait tells neither.
 */
export const addressTried = defineEvent<{ userId: string | null }>('auth.address-tried');
