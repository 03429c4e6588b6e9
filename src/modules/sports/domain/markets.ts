import { defineMachine } from '../../../platform/state-machine.js';

/** The outcomes of each kind of market that is decided by the score, in the order in which they are shown. */
export const OUTCOMES = {
  moneyline: ['home', 'away'],
  three_way: ['home', 'draw', 'away'],
  spread: ['home', 'away'],
  total: ['over', 'under'],
} as const;

/** Two-way moneyline, three-way moneyline, spread (its line is the home side's), total. */
export type ScoreKind = keyof typeof OUTCOMES;
/** A prop names its outcomes itself and is decided by a field of the result. */
export type MarketKind = ScoreKind | 'prop';

/** An outcome of a market of kind `K`. */
export type Outcome<K extends ScoreKind = ScoreKind> = (typeof OUTCOMES)[K][number];

export const SCORE_KINDS = Object.keys(OUTCOMES) as readonly ScoreKind[];
export const MARKET_KINDS: readonly MarketKind[] = [...SCORE_KINDS, 'prop'];

/** The key of a prop, or of an outcome of one. */
export const KEY = /^[a-z0-9][a-z0-9_.-]{0,59}$/;

/** An outcome of a prop. */
export interface NamedOutcome {
  readonly key: string;
  readonly label: string;
}

/** Whether `outcome` can be bet on in a market of this kind. */
export function isOutcomeOf<K extends ScoreKind>(kind: K, outcome: string): outcome is Outcome<K> {
  return (OUTCOMES[kind] as readonly string[]).includes(outcome);
}

/** What can be bet on in a market, in the order in which it is shown. */
export function outcomesOf(market: {
  kind: MarketKind;
  outcomes: readonly NamedOutcome[] | null;
}): readonly string[] {
  return market.kind === 'prop' ? (market.outcomes ?? []).map(({ key }) => key) : OUTCOMES[market.kind];
}

export type MarketState = 'open' | 'suspended' | 'closed' | 'settled' | 'voided';
/** An operator, who alone may lift it for the game's kind of market; a feed whose line is another by now; a feed that has fallen silent. */
export type SuspendedBy = 'operator' | 'line_moved' | 'feed_stale';
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

export const GAME_STATES = [
  'scheduled',
  'in_progress',
  'final',
  'postponed',
  'cancelled',
  'abandoned',
  'walkover',
] as const;
export type GameState = (typeof GAME_STATES)[number];
export type GameEvent =
  | 'start'
  | 'stand'
  | 'finish'
  | 'postpone'
  | 'cancel'
  | 'abandon'
  | 'award'
  | 'reschedule'
  | 'reinstate'
  | 'correct'
  | 'correct_to_cancelled'
  | 'correct_to_abandoned'
  | 'correct_to_walkover';

const ENDS = { finish: 'final', cancel: 'cancelled', abandon: 'abandoned', award: 'walkover' } as const;
const CORRECTIONS = {
  correct: 'final',
  correct_to_cancelled: 'cancelled',
  correct_to_abandoned: 'abandoned',
  correct_to_walkover: 'walkover',
} as const;

/**
 * A result may come before anybody has told of the start. `stand` is a score on the way, `reschedule` a new start,
 * `reinstate` takes back a cancellation that nobody has confirmed.
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
    cancelled: { reinstate: 'scheduled', ...CORRECTIONS },
    abandoned: CORRECTIONS,
    walkover: CORRECTIONS,
  },
});
