import type { Score } from '../launch/season.js';

/** What grading needs to know of a bet. */
export interface GradedBet {
  readonly kind: string;
  /** Handicap of the home side or the total; null for a moneyline. */
  readonly line: string | null;
  readonly outcome: string;
  readonly american: number;
  readonly stake: number;
}

export interface Grade {
  readonly status: 'won' | 'lost' | 'push';
  readonly payout: number;
}

/**
 * What a bet on an NFL game is worth, worked out again from the season file's score: half and whole lines, American
 * odds, the stake included, rounded down once.
 */
export function gradeAgain(
  { kind, line, outcome, american, stake }: GradedBet,
  { home, away }: Score,
): Grade {
  // In quarters of a point, so that a line is an integer too.
  const quarters = Math.round(Number(line ?? 0) * 4);
  const margin = kind === 'total' ? (home + away) * 4 - quarters : (home - away) * 4 + quarters;
  if (margin === 0) return { status: 'push', payout: stake };
  const won = margin > 0 === (outcome === 'home' || outcome === 'over');
  if (!won) return { status: 'lost', payout: 0 };
  const [gain, risk] = american > 0 ? [american, 100] : [100, -american];
  return { status: 'won', payout: stake + Number((BigInt(stake) * BigInt(gain)) / BigInt(risk)) };
}
