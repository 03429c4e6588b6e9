import type { GameState, MarketKind, MarketState } from './domain/markets.js';

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
  resultVersion: number;
}

export interface MarketFacts {
  id: string;
  gameId: string;
  kind: MarketKind;
  line: string | null;
  status: MarketState;
}

/** What somebody says of a game. `startsAt` is the new start of a postponed one. */
export interface GameReport {
  status: 'in_progress' | 'final' | 'cancelled' | 'abandoned' | 'postponed';
  homeScore?: number;
  awayScore?: number;
  minutesPlayed?: number;
  startsAt?: Date;
  reason?: string;
}

export interface ImportReport {
  games: number;
  added: number;
  changed: number;
  prices: number;
  results: number;
  issues: { line: number; column: string | null; value: string | null; problem: string }[];
}
