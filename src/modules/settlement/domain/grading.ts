import type { BetResult } from '../../bets/domain/bet-machine.js';
import { hasAction } from '../../sports/domain/game-report.js';
import { outcomesOf, type NamedOutcome, type Outcome, type ScoreKind } from '../../sports/domain/markets.js';
import type { Price } from '../../sports/domain/odds.js';
import { quarterUnits } from './line.js';

/** A fraction in plain integers, as the settlement's SQL takes it. `den` is positive. */
export interface Ratio {
  readonly num: number;
  readonly den: number;
}

/**
 * What grading makes of an outcome, for the one formula of the rules: `payout = ⌊S·v + S·(1 − v)·w·h·d⌋`.
 * `v` is the part of the stake that comes back (0, ½, 1), `w` whether the rest won, `h` the dead-heat factor.
 */
export interface Factors {
  readonly v: Ratio;
  readonly w: 0 | 1;
  readonly h: Ratio;
}

export interface Grade {
  readonly result: BetResult;
  readonly factors: Factors;
}

/** A market that the score decides, as grading sees it. Moneylines have no line; a spread's is the home side's. */
export interface GradedMarket<K extends ScoreKind = ScoreKind> {
  readonly kind: K;
  /** A decimal string in steps of a quarter: `-2.5`, `0`, `+1.25`, `47.00`. */
  readonly line: string | null;
}

/** A prop as grading sees it: a field of the result, `prop`, names the winners among its outcomes. */
export interface GradedProp {
  readonly kind: 'prop';
  readonly prop: string;
  readonly outcomes: readonly NamedOutcome[];
  /** Winners that are expected. */
  readonly places: number;
}

/** How a game ended. Scores count overtime; they may be null only where none is needed. */
export interface GameResult {
  readonly status: 'final' | 'cancelled' | 'abandoned' | 'postponed' | 'walkover';
  readonly homeScore: number | null;
  readonly awayScore: number | null;
  /** Minutes played when the game was abandoned; unknown is taken as too few. */
  readonly minutesPlayed?: number | null;
  /** Minutes after which the sport's games count (American football 55); a sport without any has no action. */
  readonly actionMinutes?: number | null;
  /** Winners by the key of a prop. A key that is missing was not reported; an empty list says that nobody won. */
  readonly props?: Readonly<Record<string, readonly string[]>> | null;
}

/** A grade for each outcome of the market's kind; where the kind is not known, of one kind or another. */
export type Grades<K extends ScoreKind = ScoreKind> = K extends ScoreKind ? Record<Outcome<K>, Grade> : never;

const ONE: Ratio = { num: 1, den: 1 };
const HALF: Ratio = { num: 1, den: 2 };
const NONE: Ratio = { num: 0, den: 1 };

const FACTORS: Readonly<Record<BetResult, Factors>> = {
  won: { v: NONE, w: 1, h: ONE },
  lost: { v: NONE, w: 0, h: ONE },
  push: { v: ONE, w: 0, h: ONE },
  void: { v: ONE, w: 0, h: ONE },
  half_won: { v: HALF, w: 1, h: ONE },
  half_lost: { v: HALF, w: 0, h: ONE },
};

/** The grade of a plain result, without a dead heat. */
export function gradeOf(result: BetResult): Grade {
  return { result, factors: FACTORS[result] };
}

/**
 * A win shared in a dead heat: `places` winners were expected and `tied` came. Three for one place pay a third.
 * Throws RangeError unless both are positive integers and `places` is not above `tied`.
 */
export function deadHeat(places: number, tied: number): Grade {
  if (!Number.isSafeInteger(places) || !Number.isSafeInteger(tied) || places < 1 || places > tied) {
    throw new RangeError(`no dead heat: ${tied} for ${places} places`);
  }
  return { result: 'won', factors: { ...FACTORS.won, h: { num: places, den: tied } } };
}

/**
 * Grades every outcome of a market by the rules' table, "Markets and grading".
 *
 * - final: graded. A tie is a push on a two-way moneyline, and wins `draw` on a three-way one, whose score is that of 90
 *   minutes and stoppage.
 * - cancelled, postponed (its grace is over), walkover: void.
 * - abandoned: as final once `actionMinutes` were played and both scores are known; otherwise void, but what was decided
 *   by then stands. Also the way to grade a game that did not finish in time.
 *
 * Throws RangeError when a needed score is no non-negative integer, or a line is missing or not in quarters.
 */
export function gradeMarket<K extends ScoreKind>(market: GradedMarket<K>, result: GameResult): Grades<K>;
export function gradeMarket(
  { kind, line }: GradedMarket,
  result: GameResult,
): Partial<Record<Outcome, Grade>> {
  if (kind === 'three_way') return gradeThreeWay(result);
  const first =
    kind === 'total' ? gradeOver(totalLine(line), result) : gradeHome(spreadLine(kind, line), result);
  const second = gradeOf(OPPOSITE[first]);
  return kind === 'total' ? { over: gradeOf(first), under: second } : { home: gradeOf(first), away: second };
}

/**
 * Grades every outcome of a prop, by its key. Winners that the market does not know still share: three for one place pay
 * its one known winner a third. A field that was not reported decides nothing; one that was, stands even of a game that
 * was abandoned.
 */
export function gradeProp(market: GradedProp, { status, props }: GameResult): Record<string, Grade> {
  const told =
    status === 'final' || status === 'abandoned'
      ? Object.entries(props ?? {}).find(([key]) => key === market.prop)?.[1]
      : undefined;
  const winners = told && new Set(told);
  const won =
    winners && winners.size > market.places ? deadHeat(market.places, winners.size) : gradeOf('won');
  const gradeKey = (key: string) => (winners?.has(key) ? won : gradeOf(winners ? 'lost' : 'void'));
  return Object.fromEntries(outcomesOf(market).map((key) => [key, gradeKey(key)]));
}

/**
 * What a bet returns, in the stake's own whole units: exact, and floored once at the end. Throws RangeError when the
 * stake is not positive.
 */
export function payout(stake: bigint, price: Price, { v, w, h }: Factors): bigint {
  if (stake <= 0n) throw new RangeError(`a stake must be positive, got ${stake}`);
  const [vNum, vDen, hNum, hDen] = [BigInt(v.num), BigInt(v.den), BigInt(h.num), BigInt(h.den)];
  const returned = vNum * hDen * price.den;
  const won = (vDen - vNum) * BigInt(w) * hNum * price.num;
  return (stake * (returned + won)) / (vDen * hDen * price.den);
}

const OPPOSITE: Readonly<Record<BetResult, BetResult>> = {
  won: 'lost',
  lost: 'won',
  push: 'push',
  void: 'void',
  half_won: 'half_lost',
  half_lost: 'half_won',
};

type PartResult = 'won' | 'lost' | 'push' | 'void';

function gradeThreeWay(result: GameResult): Grades<'three_way'> {
  if (!hasAction(result)) return { home: gradeOf('void'), draw: gradeOf('void'), away: gradeOf('void') };
  const margin = scoreOf(result.homeScore) - scoreOf(result.awayScore);
  const gradeIf = (won: boolean) => gradeOf(won ? 'won' : 'lost');
  return { home: gradeIf(margin > 0), draw: gradeIf(margin === 0), away: gradeIf(margin < 0) };
}

/** A moneyline is a spread of nothing. */
function gradeHome(line: number, result: GameResult): BetResult {
  if (!hasAction(result)) return 'void';
  const margin = 4 * (scoreOf(result.homeScore) - scoreOf(result.awayScore));
  return gradeParts(line, (part) => sideOf(margin + part));
}

function gradeOver(line: number, result: GameResult): BetResult {
  if (hasAction(result)) {
    const sum = 4 * (scoreOf(result.homeScore) + scoreOf(result.awayScore));
    return gradeParts(line, (part) => sideOf(sum - part));
  }
  if (result.status !== 'abandoned' || result.homeScore === null || result.awayScore === null) return 'void';
  // Points are never taken back, so a line that was passed is decided whatever would have followed.
  const sum = 4 * (scoreOf(result.homeScore) + scoreOf(result.awayScore));
  return gradeParts(line, (part) => (sum > part ? 'won' : 'void'));
}

/** Half the stake on each neighbouring half line; on a whole or half line both halves are the same bet. */
function gradeParts(line: number, gradePart: (line: number) => PartResult): BetResult {
  if (line % 2 === 0) return gradePart(line);
  const parts = [gradePart(line - 1), gradePart(line + 1)];
  if (parts[0] === parts[1]) return parts[0] ?? 'void';
  return parts.includes('won') ? 'half_won' : 'half_lost';
}

function sideOf(difference: number): PartResult {
  if (difference === 0) return 'push';
  return difference > 0 ? 'won' : 'lost';
}

function scoreOf(score: number | null): number {
  if (!Number.isSafeInteger(score) || (score as number) < 0) throw new RangeError(`not a score: ${score}`);
  return score as number;
}

function spreadLine(kind: ScoreKind, line: string | null): number {
  return kind === 'moneyline' ? 0 : quarterUnits(line);
}

function totalLine(line: string | null): number {
  const quarters = quarterUnits(line);
  if (quarters < 0) throw new RangeError(`a total cannot be negative: ${line}`);
  return quarters;
}
