import { defineEvent } from '../../platform/outbox/event.js';

/** Players were drawn into pools; the week is played. */
export const weekGrouped = defineEvent<{ weekId: number; players: number; pools: number }>(
  'pools.week-grouped',
);

/** The week is over: no bet is taken in it any more. It is settled when its games are. */
export const weekClosed = defineEvent<{ weekId: number }>('pools.week-closed');

/** Kinds of deadlines that pools sets; the subject is the week's id. */
export const POOLS_DEADLINES = { open: 'week-open', group: 'week-group', close: 'week-close' } as const;
