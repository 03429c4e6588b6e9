import { defineEvent } from '../../platform/outbox/event.js';

/** A settlement has chunks to grade; one event for each worker that may help. */
export const settlementStarted = defineEvent<{ settlementId: string; helper: number }>('settlement.started');

/** Every bet on a game has been graded by this version of its result. */
export const gameSettled = defineEvent<{ settlementId: string; gameId: string; weekId: number }>(
  'settlement.game-settled',
);

/** The week's tables are final and its prizes awarded. */
export const weekSettled = defineEvent<{ weekId: number }>('settlement.week-settled');
