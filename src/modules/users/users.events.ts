import { defineEvent } from '../../platform/outbox/event.js';

/** Somebody began to follow somebody. Who stops and begins again is told of again. */
export const userFollowed = defineEvent<{ followerId: string; followeeId: string }>('users.followed');

/** Somebody asked somebody to be a contact. The contact's id stays the same for the same two while the request stands. */
export const contactRequested = defineEvent<{ contactId: string; requesterId: string; addresseeId: string }>(
  'users.contact-requested',
);

/** A request was accepted, or met a request the other way. */
export const contactAccepted = defineEvent<{ contactId: string; requesterId: string; addresseeId: string }>(
  'users.contact-accepted',
);

/** What is known of somebody's age has changed: the date, or whether others than they have shown it to be true. */
export const userAgeChanged = defineEvent<{ userId: string }>('users.age-changed');
