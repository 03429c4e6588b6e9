import type { GameState, MarketKind, MarketState, NamedOutcome } from './domain/markets.js';

export type { GameReport } from './domain/game-report.js';

/** A game as settlement sees one. */
export interface GameFacts {
  id: string;
  sport: string;
  startsAt: Date;
  firstStartsAt: Date;
  status: GameState;
  homeScore: number | null;
  awayScore: number | null;
  minutesPlayed: number | null;
  /** Winners by the key of a prop. */
  props: Record<string, string[]> | null;
  /** Since when its result may be graded; null while it is to be confirmed. */
  confirmedAt: Date | null;
  resultVersion: number;
}

export interface MarketFacts {
  id: string;
  gameId: string;
  kind: MarketKind;
  line: string | null;
  /** What a prop is, of props alone. */
  prop: string | null;
  outcomes: NamedOutcome[] | null;
  /** Winners that are expected. */
  places: number;
  status: MarketState;
}

export interface ImportReport {
  games: number;
  added: number;
  changed: number;
  prices: number;
  results: number;
  issues: { line: number; column: string | null; value: string | null; problem: string }[];
}
