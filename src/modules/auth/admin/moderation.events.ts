import { defineEvent } from '../../../platform/outbox/event.js';

/** Moderators have found a report on this user right and left it at a warning, which is worth what the user hears of it. */
export const userWarned = defineEvent<{ userId: string }>('auth.user-warned');
