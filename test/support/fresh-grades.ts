import {
  gradeMarket,
  gradeOf,
  gradeProp,
  payout,
  type Grade,
  type GameResult,
} from '../../src/modules/settlement/domain/grading.js';
import {
  legFactor,
  type ParlayLeg,
  parlayReason,
  parlayVerdict,
} from '../../src/modules/settlement/domain/parlay.js';
import { type Reason, verdictsOf } from '../../src/modules/settlement/domain/verdicts.js';
import type {
  GameState,
  MarketKind,
  MarketState,
  NamedOutcome,
} from '../../src/modules/sports/domain/markets.js';
import type { System } from './system.js';

/** What a single or a leg is on, with the game and the market as they are now. */
interface LegFacts {
  id: string;
  market_id: string;
  number: number;
  outcome: string;
  stake: string;
  price_num: string;
  price_den: string;
  placed_at: Date;
  kind: MarketKind;
  line: string | null;
  prop: string | null;
  outcomes: NamedOutcome[] | null;
  places: number;
  market_status: MarketState;
  game_status: GameState;
  home_score: number | null;
  away_score: number | null;
  minutes_played: number | null;
  props: Record<string, string[]> | null;
  confirmed: boolean;
  starts_at: Date;
}

export interface Graded {
  id: string;
  status: string;
  payout: string | null;
  reason: string | null;
}

const OVER = ['final', 'cancelled', 'abandoned', 'walkover'];
const ACTION_MINUTES = 55;

/**
 * The bets as they stand with their reasons, singles and parlays, and as the pure domain grades them from nothing by the games and markets as they are
 * now. Not those that their users took back.
 */
export async function bothGradings(
  system: System,
  userIds: readonly string[],
): Promise<{ stored: Graded[]; fresh: Graded[] }> {
  const { rows: bets } = await system.db.query<Graded>(
    "SELECT id, status, payout, reason FROM bets WHERE user_id = ANY ($1) AND status <> 'cancelled' ORDER BY id",
    [userIds],
  );
  const { rows } = await system.db.query<LegFacts>(
    `SELECT b.id, l.number, l.market_id, l.outcome, b.stake, l.price_num, l.price_den, b.placed_at, m.kind, m.line, m.prop, m.outcomes,
            m.places, m.status AS market_status, g.status AS game_status, g.home_score, g.away_score, g.minutes_played,
            g.props, g.confirmed_at IS NOT NULL AS confirmed, g.starts_at
     FROM bets b
     CROSS JOIN LATERAL (
       SELECT 1 AS number, b.market_id, b.outcome, b.price_num, b.price_den WHERE b.legs = 1
       UNION ALL
       SELECT number, market_id, outcome, price_num, price_den FROM bet_legs
       WHERE bet_id = b.id AND pool_id = b.pool_id AND week_id = b.week_id) l
     JOIN markets m ON m.id = l.market_id JOIN games g ON g.id = m.game_id
     WHERE b.user_id = ANY ($1) ORDER BY b.id, l.number`,
    [userIds],
  );
  const legs = Map.groupBy(rows, ({ id }) => id);
  return {
    stored: bets,
    fresh: bets.map(({ id }) => ({ id, ...gradeFresh(legs.get(id) ?? []) })),
  };
}

function gradeFresh(legs: readonly LegFacts[]): Omit<Graded, 'id'> {
  const stake = BigInt(legs[0]?.stake ?? 0);
  const graded = legs.map((leg) => {
    const grade = gradeBy(leg);
    const price = { num: BigInt(leg.price_num), den: BigInt(leg.price_den) };
    return { grade, price, reason: grade && reasonBy(leg) };
  });
  const [only] = graded;
  if (graded.length === 1 && only) {
    const { grade, price, reason } = only;
    if (grade === null) return { status: 'placed', payout: null, reason };
    return { status: grade.result, payout: String(payout(stake, price, grade.factors)), reason };
  }
  const judged = graded.map(({ grade, price, reason }): ParlayLeg & { reason: Reason | null } =>
    grade === null
      ? { status: 'placed', factor: null, reason }
      : { status: grade.result, factor: legFactor(price, grade.factors), reason },
  );
  const verdict = parlayVerdict(stake, judged);
  return {
    status: verdict.status,
    payout: verdict.payout === null ? null : String(verdict.payout),
    reason: parlayReason(judged),
  };
}

function reasonBy(leg: LegFacts): Reason | null {
  if (leg.placed_at >= leg.starts_at) return 'TAKEN_AFTER_START';
  const { market_id: id, kind, line, prop, outcomes, places, market_status: status } = leg;
  const verdicts = verdictsOf(
    {
      status: leg.game_status,
      homeScore: leg.home_score,
      awayScore: leg.away_score,
      minutesPlayed: leg.minutes_played,
      props: leg.props,
    },
    [{ id, kind, line, prop, outcomes, places, status }],
    ACTION_MINUTES,
  );
  const verdict = verdicts.find(({ outcome }) => outcome === leg.outcome);
  if (verdict === undefined) throw new Error(`a ${kind} has no outcome ${leg.outcome}`);
  return verdict.reason;
}

function gradeBy(leg: LegFacts): Grade | null {
  const voided = leg.market_status === 'voided';
  if (!voided && !(OVER.includes(leg.game_status) && leg.confirmed)) return null;
  if (voided || leg.placed_at >= leg.starts_at) return gradeOf('void');
  const result: GameResult = {
    status: leg.game_status as GameResult['status'],
    homeScore: leg.home_score,
    awayScore: leg.away_score,
    minutesPlayed: leg.minutes_played,
    actionMinutes: ACTION_MINUTES,
    props: leg.props,
  };
  const { kind, line, prop, outcomes, places } = leg;
  const grades: Record<string, Grade> =
    kind === 'prop'
      ? gradeProp({ kind, prop: prop!, outcomes: outcomes!, places }, result)
      : gradeMarket({ kind, line }, result);
  const grade = grades[leg.outcome];
  if (grade === undefined) throw new Error(`a ${kind} has no outcome ${leg.outcome}`);
  return grade;
}

/**
 * Changes of graded bets that do not hold: that change nothing, that end neither in the bet as it is nor in exactly one other
 * change, which reverses their settlement from where they ended, or that reverse what another one reverses too. Always none. By
 * links, for the settlements of games side by side change a parlay in any order. One that a correction has opened again is graded for the
 * first time once more, which nothing notes.
 */
export async function brokenHistories(system: System): Promise<unknown[]> {
  const { rows } = await system.db.query(`
    SELECT r.* FROM bet_regrades r JOIN bets b ON b.id = r.bet_id AND b.week_id = r.week_id
    CROSS JOIN LATERAL (
      SELECT count(*) AS n FROM bet_regrades n
      WHERE n.bet_id = r.bet_id AND n.reversed_settlement_id = r.settlement_id AND n.old_status = r.new_status
        AND n.old_payout = r.new_payout) next
    WHERE (r.old_status, r.old_payout) = (r.new_status, r.new_payout)
       OR CASE WHEN r.new_status = 'placed' THEN next.n > 0
               ELSE next.n + ((b.settlement_id, b.status, b.payout)
                 IS NOT DISTINCT FROM (r.settlement_id, r.new_status, r.new_payout))::int <> 1 END
    UNION ALL
    SELECT r.* FROM bet_regrades r WHERE 1 < (
      SELECT count(*) FROM bet_regrades o
      WHERE o.bet_id = r.bet_id AND o.reversed_settlement_id = r.reversed_settlement_id)`);
  return rows;
}
