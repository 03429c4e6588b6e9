import {
  gradeMarket,
  gradeOf,
  payout,
  type Grade,
  type GameResult,
} from '../../src/modules/settlement/domain/grading.js';
import type { MarketKind } from '../../src/modules/sports/domain/markets.js';
import type { System } from './system.js';

interface BetFacts {
  id: string;
  user_id: string;
  pool_id: string;
  outcome: string;
  stake: string;
  price_num: string;
  price_den: string;
  placed_at: Date;
  status: string;
  payout: string | null;
  kind: MarketKind;
  line: string | null;
  market_status: string;
  game_status: string;
  home_score: number | null;
  away_score: number | null;
  minutes_played: number | null;
  starts_at: Date;
}

export interface Graded {
  id: string;
  status: string;
  payout: string | null;
}

const OVER = ['final', 'cancelled', 'abandoned'];
const ACTION_MINUTES = 55;

/** The bets as they stand, and as the pure domain grades them from nothing by the games and markets as they are now. */
export async function bothGradings(
  system: System,
  userIds: readonly string[],
): Promise<{ stored: Graded[]; fresh: Graded[] }> {
  const { rows } = await system.db.query<BetFacts>(
    `SELECT b.id, b.user_id, b.pool_id, b.outcome, b.stake, b.price_num, b.price_den, b.placed_at, b.status, b.payout,
            m.kind, m.line, m.status AS market_status, g.status AS game_status, g.home_score, g.away_score,
            g.minutes_played, g.starts_at
     FROM bets b JOIN markets m ON m.id = b.market_id JOIN games g ON g.id = b.game_id
     WHERE b.user_id = ANY ($1) ORDER BY b.id`,
    [userIds],
  );
  return {
    stored: rows.map(({ id, status, payout: paid }) => ({ id, status, payout: paid })),
    fresh: rows.map((bet) => ({ id: bet.id, ...gradeFresh(bet) })),
  };
}

function gradeFresh(bet: BetFacts): Omit<Graded, 'id'> {
  const grade = gradeBy(bet);
  if (grade === null) return { status: 'placed', payout: null };
  const price = { num: BigInt(bet.price_num), den: BigInt(bet.price_den) };
  return { status: grade.result, payout: String(payout(BigInt(bet.stake), price, grade.factors)) };
}

function gradeBy(bet: BetFacts): Grade | null {
  const voided = bet.market_status === 'voided';
  if (!voided && !OVER.includes(bet.game_status)) return null;
  if (voided || bet.placed_at >= bet.starts_at) return gradeOf('void');
  const result: GameResult = {
    status: bet.game_status as GameResult['status'],
    homeScore: bet.home_score,
    awayScore: bet.away_score,
    minutesPlayed: bet.minutes_played,
    actionMinutes: ACTION_MINUTES,
  };
  const grades = gradeMarket({ kind: bet.kind, line: bet.line }, result) as Record<string, Grade>;
  const grade = grades[bet.outcome];
  if (grade === undefined) throw new Error(`a ${bet.kind} has no outcome ${bet.outcome}`);
  return grade;
}

/**
 * Bets whose history does not hold: graded more than once for the first time, a change that does not begin where the one
 * before it ended, or a last one that is not what the bet says. Always none.
 */
export async function brokenHistories(system: System): Promise<unknown[]> {
  const { rows } = await system.db.query(`
    WITH chain AS (
      SELECT r.*, lead(r.old_payout) OVER w AS next_payout, lead(r.old_status) OVER w AS next_status,
             lead(r.reversed_settlement_id) OVER w AS next_reversed
      FROM bet_regrades r WINDOW w AS (PARTITION BY bet_id ORDER BY settlement_id))
    SELECT c.* FROM chain c JOIN bets b ON b.id = c.bet_id AND b.week_id = c.week_id
    WHERE (coalesce(c.next_payout, b.payout), coalesce(c.next_status, b.status), coalesce(c.next_reversed, b.settlement_id))
          IS DISTINCT FROM (c.new_payout, c.new_status, c.settlement_id)
       OR (c.old_status, c.old_payout) = (c.new_status, c.new_payout)`);
  return rows;
}
