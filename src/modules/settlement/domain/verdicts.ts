import { hasAction, isOver } from '../../sports/domain/game-report.js';
import {
  type GameState,
  type MarketKind,
  type MarketState,
  type NamedOutcome,
  outcomesOf,
} from '../../sports/domain/markets.js';
import { gradeMarket, gradeOf, gradeProp, type Grade, type GameResult } from './grading.js';

/** Why a bet or a leg is graded as it is, where its result alone does not say. The README tells each. */
export const REASONS = [
  'MARKET_VOIDED',
  'GAME_CANCELLED',
  'GAME_ABANDONED',
  'GAME_WALKOVER',
  'RESULT_MISSING',
  'DEAD_HEAT',
  'TAKEN_AFTER_START',
  'LEGS_VOID',
] as const;
export type Reason = (typeof REASONS)[number];

/** One outcome's verdict, as `bets_grade` takes it. */
export interface Verdict {
  market_id: string;
  outcome: string;
  status: string;
  reason: Reason | null;
  v_num: number;
  v_den: number;
  w: number;
  h_num: number;
  h_den: number;
}

export interface JudgedMarket {
  id: string;
  kind: MarketKind;
  line: string | null;
  status: MarketState;
  /** What a prop is, of props alone. */
  prop?: string | null;
  outcomes?: readonly NamedOutcome[] | null;
  places?: number;
}

export interface JudgedGame {
  status: GameState;
  homeScore: number | null;
  awayScore: number | null;
  minutesPlayed: number | null;
  props?: Readonly<Record<string, readonly string[]>> | null;
  /** Since when its result may be graded; null while it is to be confirmed. */
  confirmedAt: Date | null;
}

/** Whether the game has a result that may be graded. */
export function isDecided({ status, confirmedAt }: Pick<JudgedGame, 'status' | 'confirmedAt'>): boolean {
  return isOver(status) && confirmedAt !== null;
}

/** The markets that can be judged now: all of a game that is decided, of another one those that were voided. */
export function judgedMarkets<M extends JudgedMarket>(game: JudgedGame, markets: readonly M[]): M[] {
  return markets.filter((market) => isDecided(game) || market.status === 'voided');
}

/** The verdict on every outcome of these markets, with the reason of a void and of a dead heat. */
export function verdictsOf(
  game: Omit<JudgedGame, 'confirmedAt'>,
  markets: readonly JudgedMarket[],
  actionMinutes: number | null,
): Verdict[] {
  const result: GameResult = { ...game, status: game.status as GameResult['status'], actionMinutes };
  return markets.flatMap((market) =>
    gradesOf(market, result).map(([outcome, { result: status, factors }]) => ({
      market_id: market.id,
      outcome,
      status,
      reason: reasonOf(market, result, status, factors),
      v_num: factors.v.num,
      v_den: factors.v.den,
      w: factors.w,
      h_num: factors.h.num,
      h_den: factors.h.den,
    })),
  );
}

function gradesOf(market: JudgedMarket, result: GameResult): [string, Grade][] {
  const { kind, line, prop = null, outcomes = null, places = 1 } = market;
  if (market.status === 'voided')
    return outcomesOf({ kind, outcomes }).map((outcome) => [outcome, gradeOf('void')]);
  if (kind !== 'prop') return Object.entries(gradeMarket({ kind, line }, result));
  return Object.entries(gradeProp({ kind, prop: prop ?? '', outcomes: outcomes ?? [], places }, result));
}

function reasonOf(
  market: JudgedMarket,
  result: GameResult,
  status: Grade['result'],
  { h }: Grade['factors'],
): Reason | null {
  if (status !== 'void') return h.num === h.den ? null : 'DEAD_HEAT';
  if (market.status === 'voided') return 'MARKET_VOIDED';
  if (market.kind === 'prop' && hasAction(result)) return 'RESULT_MISSING';
  return VOID_REASONS[result.status] ?? 'GAME_CANCELLED';
}

const VOID_REASONS: Partial<Record<GameResult['status'], Reason>> = {
  abandoned: 'GAME_ABANDONED',
  walkover: 'GAME_WALKOVER',
};

export type SettlementKind = 'settle' | 'resettle' | 'cancel';

/**
 * What a settlement is to the one before it: it settles outcomes for the first time, settles some otherwise, or cancels:
 * all that it changes, it voids.
 */
export function kindOf(before: readonly Verdict[] | null, now: readonly Verdict[]): SettlementKind {
  const earlier = new Map(before?.map((verdict) => [nameOf(verdict), verdict]));
  const known = now.filter((verdict) => earlier.has(nameOf(verdict)));
  const changed = known.filter((verdict) => factsOf(verdict) !== factsOf(earlier.get(nameOf(verdict))));
  if (changed.length > 0) return changed.every(({ status }) => status === 'void') ? 'cancel' : 'resettle';
  return known.length < now.length || before === null ? 'settle' : 'resettle';
}

function nameOf({ market_id, outcome }: Verdict): string {
  return `${market_id} ${outcome}`;
}

function factsOf(verdict: Verdict | undefined): string {
  return JSON.stringify([verdict?.status, verdict?.h_num, verdict?.h_den]);
}

/** Cuts the pools into chunks of at most `maxBets` bets; a pool is never cut. */
export function cutChunks(
  pools: readonly { pool_id: string; bets: number }[],
  maxBets: number,
): { number: number; pool_ids: string[]; bets: number }[] {
  const chunks: { number: number; pool_ids: string[]; bets: number }[] = [];
  for (const { pool_id, bets } of pools) {
    const last = chunks.at(-1);
    if (last && last.bets + bets <= maxBets) {
      last.pool_ids.push(pool_id);
      last.bets += bets;
    } else chunks.push({ number: chunks.length + 1, pool_ids: [pool_id], bets });
  }
  return chunks;
}
