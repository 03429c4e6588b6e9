import { defineMachine } from '../../../platform/state-machine.js';

export type WeekState = 'open' | 'grouped' | 'closed' | 'settled';
export type WeekEvent = 'group' | 'close' | 'settle';

/** Sign-up → played (bets are taken) → over, its last games still to be graded → paid (rules, "The week"). */
export const weekMachine = defineMachine<WeekState, WeekEvent>('week', {
  initial: 'open',
  transitions: {
    open: { group: 'grouped' },
    grouped: { close: 'closed' },
    closed: { settle: 'settled' },
    settled: {},
  },
});
