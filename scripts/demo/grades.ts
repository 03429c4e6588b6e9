import type { Score } from '../launch/season.js';

/** What grading needs to know of a leg; a single has one. */
export interface GradedLeg {
  readonly gameId: string;
  readonly externalId: string;
  readonly kind: string;
  /** Handicap of the home side or the total; null for a moneyline. */
  readonly line: string | null;
  readonly outcome: string;
  readonly american: number;
}

/** What grading needs to know of a bet. */
export interface GradedBet {
  readonly legs: readonly GradedLeg[];
  readonly stake: number;
}

export interface Grade {
  readonly status: 'won' | 'lost' | 'push';
  readonly payout: number;
}

/**
 * What a bet on NFL games is worth, worked out again from the season file's scores: half and whole lines, American odds, the
 * stake included, the product of its legs rounded down once.
 */
export function gradeAgain({ legs, stake }: GradedBet, scoreOf: (leg: GradedLeg) => Score): Grade {
  const grades = legs.map((leg) => gradeLeg(leg, scoreOf(leg)));
  if (grades.includes('lost')) return { status: 'lost', payout: 0 };
  const won = legs.filter((_, index) => grades[index] === 'won');
  if (won.length === 0) return { status: 'push', payout: stake };
  let [num, den] = [BigInt(stake), 1n];
  for (const { american } of won) {
    const [gain, risk] = american > 0 ? [american, 100] : [100, -american];
    num *= BigInt(gain + risk);
    den *= BigInt(risk);
  }
  return { status: 'won', payout: Number(num / den) };
}

/** Whether nothing more can change a bet: a lost leg loses it, whatever the others do. */
export function isDecided({ legs }: GradedBet, scoreOf: (leg: GradedLeg) => Score | undefined): boolean {
  const grades = legs.map((leg) => {
    const score = scoreOf(leg);
    return score && gradeLeg(leg, score);
  });
  return grades.includes('lost') || grades.every((grade) => grade !== undefined);
}

function gradeLeg({ kind, line, outcome }: GradedLeg, { home, away }: Score): Grade['status'] {
  // In quarters of a point, so that a line is an integer too.
  const quarters = Math.round(Number(line ?? 0) * 4);
  const margin = kind === 'total' ? (home + away) * 4 - quarters : (home - away) * 4 + quarters;
  if (margin === 0) return 'push';
  return margin > 0 === (outcome === 'home' || outcome === 'over') ? 'won' : 'lost';
}
