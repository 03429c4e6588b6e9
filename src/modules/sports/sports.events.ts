import { defineEvent } from '../../platform/outbox/event.js';

/**
 * A game got a result, or another one: final, cancelled, abandoned, given to one side, or a market of it was voided. Published when
 * it may be graded: what a feed says, once it is confirmed.
 */
export const gameResultRecorded = defineEvent<{ gameId: string; version: number }>(
  'sports.game-result-recorded',
);

/** Kinds of deadlines that sports sets; each is the event `deadline.<kind>` when due. */
export const SPORTS_DEADLINES = {
  /** The official start: betting closes. */
  gameLock: 'game-lock',
  /** Not finished in time, or not started within the grace: void. */
  gameOverdue: 'game-overdue',
  /** Nobody has said otherwise: a feed's result is graded. */
  gameConfirm: 'game-confirm',
} as const;
