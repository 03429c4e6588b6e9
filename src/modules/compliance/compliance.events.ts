import { defineEvent } from '../../platform/outbox/event.js';

/** Somebody has excluded themselves, or for longer: what they have elsewhere ends. Their stakes were refunded with it. */
export const selfExcluded = defineEvent<{ userId: string; exclusionId: string }>('compliance.self-excluded');
