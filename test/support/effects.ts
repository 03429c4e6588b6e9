import { defineEvent } from '../../src/platform/outbox/event.js';

/** The queue of `effects-worker.ts`. */
export const EFFECTS_QUEUE = 'test-effects';

/** The kind of deadlines whose firing is an effect. */
export const DUE_KIND = 'test-due';

/** Something happened in a test. */
export const happened = defineEvent<{ subject: string }>('test.happened');

/** Where the effects worker writes; no constraint, so that an effect that happens twice is there twice. */
export const EFFECTS_TABLE = 'CREATE TABLE test_effects (topic text, event_id uuid, subject text)';
