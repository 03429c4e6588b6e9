import type { MarketKind, NamedOutcome } from '../domain/markets.js';
import type { FeedProblem, FeedQuota } from './feed-problem.js';

/** A game that a feed has on its schedule. */
export interface FeedGame {
  /** The same for the same game whenever the feed speaks of it, and unique within the feed. */
  readonly externalId: string;
  /** A key of `config/sports.yml`. */
  readonly sport: string;
  readonly league: string;
  readonly season: string;
  readonly homeTeam: string;
  readonly awayTeam: string;
  readonly startsAt: Date;
  readonly neutral: boolean;
}

/** A price as the feed gave it: `american` (integer, at least 100 either way) or `decimal` (exact text), never both. */
export interface FeedPrice {
  readonly outcome: string;
  readonly american?: number;
  readonly decimal?: string;
}

/** A market with the prices of all of its outcomes. A game has one of a kind at a time (props: one of a key): another line is a moved line. */
export interface FeedMarket {
  readonly kind: MarketKind;
  /** Exact decimal in quarter steps: the handicap given to the home side, or the total; null where the kind has none. */
  readonly line: string | null;
  /** What a prop is, of props alone. */
  readonly prop?: {
    readonly key: string;
    readonly title: string;
    readonly outcomes: readonly NamedOutcome[];
    readonly places?: number;
  };
  readonly prices: readonly FeedPrice[];
}

/** The prices of one game, as they are now. A market that is not among them is no longer offered. */
export interface FeedOdds {
  readonly externalId: string;
  readonly markets: readonly FeedMarket[];
}

/** The line of a market that is offered. */
export interface HeldLine {
  readonly externalId: string;
  readonly kind: MarketKind;
  readonly line: string;
}

/** Of the markets of a feed that are open: a line that is not believed, or no longer offered, is none of them. */
export type HeldLines = () => Promise<readonly HeldLine[]>;

/** How a game stands while it goes on. */
export interface FeedScore {
  readonly externalId: string;
  readonly home: number;
  readonly away: number;
  /** Scores by period so far, home before away. */
  readonly periods?: readonly (readonly [number, number])[];
  readonly minutesPlayed?: number;
}

/** How a game ended, or why it did not. */
export interface FeedResult {
  readonly externalId: string;
  readonly status: 'final' | 'cancelled' | 'abandoned' | 'postponed' | 'walkover';
  readonly home?: number;
  readonly away?: number;
  readonly periods?: readonly (readonly [number, number])[];
  readonly minutesPlayed?: number;
  /** The new start of a postponed game, where one is known. */
  readonly startsAt?: Date;
  /** Winners by the key of a prop. */
  readonly props?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Where games, prices and results come from. Each method answers what the feed says now; null when it has said nothing new since the
 * time before (a provider that knows conditional requests). An error is the feed's silence: what it told before grows stale.
 */
export interface SportsFeed {
  /** `games.source` of what comes from it: `replay`, `odds-api`, … */
  readonly source: string;
  schedule(signal: AbortSignal): Promise<readonly FeedGame[] | null>;
  odds(signal: AbortSignal): Promise<readonly FeedOdds[] | null>;
  scores(signal: AbortSignal): Promise<readonly FeedScore[] | null>;
  results(signal: AbortSignal): Promise<readonly FeedResult[] | null>;
  /**
   * It is taken up, perhaps again, after somebody else: it next answers in full, whatever it has answered before. `held` looks up the
   * lines that are offered of its games at the moment.
   */
  begin?(held: HeldLines): void;
  /** What has been left out of its answers since it was asked before, and why; of each problem once an answer. */
  problems?(): readonly FeedProblem[];
  /** What its provider has told of the calls that are left, where it does. */
  status?(): FeedQuota | null;
}
