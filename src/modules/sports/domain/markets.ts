import { defineMachine } from '../../../platform/state-machine.js';

/** The outcomes of each kind of market, in the order in which they are shown. */
export const OUTCOMES = {
  moneyline: ['home', 'away'],
  spread: ['home', 'away'],
  total: ['over', 'under'],
} as const;

/** Two-way moneyline, spread (its line is the home side's), total. */
export type MarketKind = keyof typeof OUTCOMES;

/** An outcome of a market of kind `K`. */
export type Outcome<K extends MarketKind = MarketKind> = (typeof OUTCOMES)[K][number];

export const MARKET_KINDS = Object.keys(OUTCOMES) as readonly MarketKind[];

/** Whether `outcome` can be bet on in a market of this kind. */
export function isOutcomeOf<K extends MarketKind>(kind: K, outcome: string): outcome is Outcome<K> {
  return (OUTCOMES[kind] as readonly string[]).includes(outcome);
}

export type MarketState = 'open' | 'suspended' | 'closed' | 'settled' | 'voided';
/** An operator, who alone may lift it for the game's kind of market, or an import whose line is another by now. */
export type SuspendedBy = 'operator' | 'line_moved';
export type MarketEvent = 'suspend' | 'resume' | 'close' | 'reopen' | 'settle' | 'void' | 'resettle';

/** Bets are taken only while `open`. A closed market reopens when its game's start is moved to later. */
export const marketMachine = defineMachine<MarketState, MarketEvent>('market', {
  initial: 'open',
  transitions: {
    open: { suspend: 'suspended', close: 'closed', settle: 'settled', void: 'voided' },
    suspended: { resume: 'open', close: 'closed', settle: 'settled', void: 'voided' },
    closed: { reopen: 'open', settle: 'settled', void: 'voided' },
    settled: { resettle: 'settled', void: 'voided' },
    voided: { resettle: 'settled' },
  },
});

export type GameState = 'scheduled' | 'in_progress' | 'final' | 'postponed' | 'cancelled' | 'abandoned';
export type GameEvent =
  | 'start'
  | 'stand'
  | 'finish'
  | 'postpone'
  | 'cancel'
  | 'abandon'
  | 'reschedule'
  | 'correct'
  | 'correct_to_cancelled'
  | 'correct_to_abandoned';

const ENDS = { finish: 'final', cancel: 'cancelled', abandon: 'abandoned' } as const;
const CORRECTIONS = {
  correct: 'final',
  correct_to_cancelled: 'cancelled',
  correct_to_abandoned: 'abandoned',
} as const;

/**
 * A result may come before anybody has told of the start. `stand` is a score on the way, `reschedule` a new start.
 * `correct…` events say that what was published was wrong; each makes the settlement start again. They are apart from
 * the events of play, so that a late feed cannot correct by accident.
 */
export const gameMachine = defineMachine<GameState, GameEvent>('game', {
  initial: 'scheduled',
  transitions: {
    scheduled: { start: 'in_progress', postpone: 'postponed', reschedule: 'scheduled', ...ENDS },
    in_progress: { stand: 'in_progress', postpone: 'postponed', reschedule: 'scheduled', ...ENDS },
    postponed: { reschedule: 'scheduled', ...ENDS },
    final: CORRECTIONS,
    cancelled: CORRECTIONS,
    abandoned: CORRECTIONS,
  },
});
