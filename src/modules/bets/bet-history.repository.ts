import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';

/** What a bet or a leg of one is on, at which price. */
export interface PricedRow {
  game_id: string;
  market_id: string;
  odds_id: string;
  outcome: string;
  american: number | null;
  price_num: string;
  price_den: string;
}

export interface LegRow extends PricedRow {
  bet_id: string;
  status: string;
  reason: string | null;
}

/** Of a parlay, what it is on is null and stands in its legs. */
export interface BetRow extends Nullable<PricedRow> {
  id: string;
  week_id: number;
  pool_id: string;
  user_id: string;
  legs: number;
  stake: string;
  potential_payout: string;
  status: string;
  payout: string | null;
  reason: string | null;
  placed_at: Date;
  settled_at: Date | null;
}

type Nullable<T> = { [Name in keyof T]: T[Name] | null };

export interface BetFilter {
  weekIds: readonly number[];
  /** A state, or `settled` for every result. */
  status: string | null;
  kind: string | null;
  gameId: string | null;
  from: Date | null;
  to: Date | null;
  before: string | null;
  limit: number;
}

/** Open bets on a game; of `gameId` null those on several, parlays. */
export interface OpenRow {
  game_id: string | null;
  bets: number;
  stake: string;
  potential_payout: string;
  parlays: number;
}

const COLUMNS = `b.id, b.week_id, b.pool_id, b.user_id, b.legs, b.game_id, b.market_id, b.odds_id, b.outcome, b.american,
  b.price_num, b.price_den, b.stake, b.potential_payout, b.status, b.payout, b.reason, b.placed_at, b.settled_at`;

/** Bets as they are shown: a user's own, and what is on a slip that is shared. */
@Injectable()
export class BetHistoryRepository {
  constructor(private readonly database: Database) {}

  /** A user's bets of some weeks, newest first. Index: ix_bets_user_history of these weeks' partitions. */
  async ofUser(userId: string, filter: BetFilter): Promise<BetRow[]> {
    return await this.database.query<BetRow>(
      'bets.of_user',
      `SELECT ${COLUMNS} FROM bets b
       WHERE b.user_id = $1 AND b.week_id = ANY ($2::int[])
         AND ($3::text IS NULL OR b.status = $3 OR ($3 = 'settled' AND b.status NOT IN ('placed', 'cancelled')))
         AND ($4::bigint IS NULL OR b.id < $4) AND ($6::text IS NULL OR (b.legs = 1) = ($6 = 'single'))
         AND ($7::uuid IS NULL OR b.game_id = $7 OR (b.legs > 1 AND EXISTS (
           SELECT FROM bet_legs l WHERE l.bet_id = b.id AND l.pool_id = b.pool_id AND l.week_id = b.week_id
             AND l.week_id = ANY ($2::int[]) AND l.game_id = $7)))
         AND ($8::timestamptz IS NULL OR b.placed_at >= $8) AND ($9::timestamptz IS NULL OR b.placed_at < $9)
       ORDER BY b.id DESC LIMIT $5`,
      [
        userId,
        filter.weekIds,
        filter.status,
        filter.before,
        filter.limit,
        filter.kind,
        filter.gameId,
        filter.from,
        filter.to,
      ],
    );
  }

  /** The legs of parlays of some weeks, in their order. Index: primary key, of the partitions of these weeks. */
  async legsOf(betIds: readonly string[], weekIds: readonly number[]): Promise<LegRow[]> {
    return await this.database.query<LegRow>(
      'bets.legs',
      `SELECT bet_id, game_id, market_id, odds_id, outcome, american, price_num, price_den, status, reason
       FROM bet_legs WHERE bet_id = ANY ($1::bigint[]) AND week_id = ANY ($2::int[]) ORDER BY bet_id, number`,
      [betIds, weekIds],
    );
  }

  /** Index: primary key, of the partitions of these weeks. */
  async findOfUser(userId: string, id: string, weekIds: readonly number[]): Promise<BetRow | null> {
    const [row] = await this.database.query<BetRow>(
      'bets.one_of_user',
      `SELECT ${COLUMNS} FROM bets b WHERE b.id = $1 AND b.user_id = $2 AND b.week_id = ANY ($3::int[])`,
      [id, userId, weekIds],
    );
    return row ?? null;
  }

  /** Anybody's. Index: primary key of the week's partition. */
  async find(id: string, weekId: number): Promise<BetRow | null> {
    const [row] = await this.database.query<BetRow>(
      'bets.one',
      `SELECT ${COLUMNS} FROM bets b WHERE b.id = $1 AND b.week_id = $2`,
      [id, weekId],
    );
    return row ?? null;
  }

  /**
   * What is open: singles by game, parlays as one row without a game, and how many of these have a leg on each game. Index:
   * ix_bets_user_history of these weeks' partitions.
   */
  async openOf(userId: string, weekIds: readonly number[]): Promise<OpenRow[]> {
    return await this.database.query<OpenRow>(
      'bets.open_of_user',
      `WITH open AS MATERIALIZED (
         SELECT id, pool_id, week_id, legs, game_id, stake, potential_payout FROM bets
         WHERE user_id = $1 AND week_id = ANY ($2::int[]) AND status = 'placed'),
       own AS (SELECT game_id, count(*)::int AS bets, sum(stake) AS stake, sum(potential_payout) AS potential_payout
               FROM open GROUP BY game_id),
       joined AS (SELECT l.game_id, count(*)::int AS parlays FROM open o
                  JOIN bet_legs l ON l.bet_id = o.id AND l.pool_id = o.pool_id AND l.week_id = o.week_id
                  WHERE o.legs > 1 AND l.week_id = ANY ($2::int[]) GROUP BY l.game_id)
       SELECT coalesce(o.game_id, j.game_id) AS game_id, coalesce(o.bets, 0) AS bets, coalesce(o.stake, 0) AS stake,
              coalesce(o.potential_payout, 0) AS potential_payout, coalesce(j.parlays, 0) AS parlays
       FROM own o FULL JOIN joined j ON j.game_id = o.game_id ORDER BY 1`,
      [userId, weekIds],
    );
  }
}
