import { defineEvent } from '../../platform/outbox/event.js';

/** A game got a result, or another one: final, cancelled, abandoned, postponed too long, or a market of it was voided. */
export const gameResultRecorded = defineEvent<{ gameId: string; version: number }>(
  'sports.game-result-recorded',
);

/** Kinds of deadlines that sports sets; each is the event `deadline.<kind>` when due. */
export const SPORTS_DEADLINES = {
  /** The official start: betting closes. */
  gameLock: 'game-lock',
  /** Not finished in time, or not started within the grace: void. */
  gameOverdue: 'game-overdue',
} as const;
