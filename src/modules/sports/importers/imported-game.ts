import type { Outcome, ScoreKind } from '../domain/markets.js';

/** A source of season files that Parley can import. */
export type SeasonFormat = 'nflverse' | 'football-data';

/** A price as its source gave it: `american` (integer, at least 100 either way) or `decimal` (exact text), never both. */
export interface ImportedPrice {
  outcome: Outcome;
  american?: number;
  decimal?: string;
}

/** A complete market: the prices of all of its outcomes, and its line wherever the kind has one. */
export interface ImportedMarket {
  kind: ScoreKind;
  /**
   * Exact decimal in quarter steps (`-3.5`, `0.25`, `47`); null for a moneyline of either kind. A spread's line is the handicap given
   * to the HOME side, so a negative line means that home is the favourite, whatever sign the source writes.
   */
  line: string | null;
  /** In the order of `OUTCOMES`: home, draw, away; over, under. */
  prices: ImportedPrice[];
}

/** One game of a season file with its markets and, once it was played, its final score. */
export interface ImportedGame {
  /** `games.source`: its format, of a season file. */
  source: string;
  /** The same for the same game on every import, and unique within its source. */
  externalId: string;
  /** A key of `config/sports.yml`. */
  sport: string;
  /** `NFL`, `EPL`, `La Liga`, … */
  league: string;
  /** `2023` where a season is named by one year, `2022-23` where it is named by two. */
  season: string;
  homeTeam: string;
  awayTeam: string;
  startsAt: Date;
  neutral: boolean;
  markets: ImportedMarket[];
  /** Null while the game has not been played. Goals of soccer are those of 90 minutes and stoppage. */
  score: { home: number; away: number; overtime: boolean } | null;
  /** The line of the file that the game ends on, 1 being the header. */
  line: number;
}

/** What is wrong with a row. Without `market` the whole row was left out; with it the game stands and lost only that market. */
export interface ImportIssue {
  line: number;
  /** The column at fault, null when it is the row as a whole. */
  column: string | null;
  /** The text found there, null when there was none. */
  value: string | null;
  problem: string;
  /** The game's id where the row got as far as having one. */
  externalId: string | null;
  market?: ImportedMarket['kind'];
}

/** One result of reading a season file. A row's issues come before its game. */
export type ImportedRow = { game: ImportedGame } | { issue: ImportIssue };

export interface ParseOptions {
  /** Only these seasons, by the year in which they begin; the rows of others are passed over in silence. */
  seasons?: readonly number[];
}

/** Told the number of bytes read from the file so far. */
export type BytesRead = (bytes: number) => void;
