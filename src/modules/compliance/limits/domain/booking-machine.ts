import { defineMachine } from '../../../../platform/state-machine.js';

export type BookingState = 'open' | 'counted' | 'released';

/**
 * Money that was let through is `open` until it comes. What was given up may come all the same: it is there, so it counts, whatever
 * the limits say by then. What went back once it had counted is counted as given back.
 */
export const bookingMachine = defineMachine<BookingState, 'count' | 'release'>('limit booking', {
  initial: 'open',
  transitions: {
    open: { count: 'counted', release: 'released' },
    released: { count: 'counted' },
    counted: {},
  },
});
