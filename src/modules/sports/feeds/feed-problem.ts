/** Why something that a feed told could not even be read as a game, a market or a score. */
export const FEED_PROBLEMS = [
  'UNREADABLE', // not of the shape that is documented
  'SPORT_UNKNOWN', // the provider does not have a sport that is configured
  'SPORT_SILENT', // no answer for one sport, while others were answered
  'TEAM_UNKNOWN', // an outcome or a score of neither team
  'MARKET_INCOMPLETE', // not a price for each outcome
  'OUTCOMES_OTHER', // other outcomes than this sport's market has: a draw where play goes on until somebody wins
  'LINES_CONTRADICT', // the two sides of a spread or a total are not of one line
  'LINE_IMPOSSIBLE', // not in quarters of a point, or a total of nothing
  'PRICE_IMPOSSIBLE', // not a decimal price above 1
  'OVERROUND_LOW',
  'OVERROUND_HIGH',
  'PRICE_OLD', // the bookmaker has not confirmed it for too long
  'SCORE_INCOMPLETE', // over, or going on, without a score of each side
  'ROW_BAD', // of a file
] as const;
export type FeedProblemReason = (typeof FEED_PROBLEMS)[number];

/** What a feed has left out of its answers, and why. The market that it speaks of has no price in them. */
export interface FeedProblem {
  readonly kind: 'game' | 'market' | 'score';
  /** The game's, as the feed names it; null of what could not be ascribed to a game. */
  readonly externalId: string | null;
  /** What of the game: a market's kind, a file's row. */
  readonly subject: string;
  readonly reason: FeedProblemReason;
  readonly details: Readonly<Record<string, string | number>>;
}

/** What a provider has told of the calls that are left to us. */
export interface FeedQuota {
  readonly remaining: number;
  readonly used: number;
  /** What the last call cost. */
  readonly lastCost: number;
}
