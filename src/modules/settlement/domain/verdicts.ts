import type { GameState, MarketKind, MarketState } from '../../sports/domain/markets.js';
import { gradeMarket, gradeOf, type Grade, type GameResult } from './grading.js';

/** One outcome's verdict, as `bets_grade` takes it. */
export interface Verdict {
  market_id: string;
  outcome: string;
  status: string;
  reason: string | null;
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
}

export interface JudgedGame {
  status: GameState;
  homeScore: number | null;
  awayScore: number | null;
  minutesPlayed: number | null;
}

const OVER: readonly GameState[] = ['final', 'cancelled', 'abandoned'];

export function isOver(game: { status: GameState }): boolean {
  return OVER.includes(game.status);
}

/** The markets that can be judged now: all of a game that is over, of another one those that were voided. */
export function judgedMarkets<M extends JudgedMarket>(game: JudgedGame, markets: readonly M[]): M[] {
  return markets.filter((market) => isOver(game) || market.status === 'voided');
}

/** The verdict on every outcome of these markets. A void says why. */
export function verdictsOf(
  game: JudgedGame,
  markets: readonly JudgedMarket[],
  actionMinutes: number | null,
): Verdict[] {
  return markets.flatMap((market) => {
    const voided = market.status === 'voided';
    const result = { ...game, status: game.status as GameResult['status'], actionMinutes };
    const grades: [string, Grade][] = voided
      ? outcomesOf(market.kind).map((outcome) => [outcome, gradeOf('void')])
      : Object.entries(gradeMarket(market, result));
    return grades.map(([outcome, { result: status, factors }]) => ({
      market_id: market.id,
      outcome,
      status,
      reason: status === 'void' ? (voided ? 'MARKET_VOIDED' : `GAME_${game.status.toUpperCase()}`) : null,
      v_num: factors.v.num,
      v_den: factors.v.den,
      w: factors.w,
      h_num: factors.h.num,
      h_den: factors.h.den,
    }));
  });
}

function outcomesOf(kind: MarketKind): string[] {
  return kind === 'total' ? ['over', 'under'] : ['home', 'away'];
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
