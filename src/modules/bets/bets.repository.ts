import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { ErrorDetails } from '../../platform/http/domain-error.js';

export interface Placement {
  userId: string;
  key: string;
  bodyHash: Buffer;
  weekId: number;
  marketId: string;
  outcome: string;
  stake: number;
  oddsId: string | null;
  accept: string;
}

export interface PlacementRules {
  minStake: number;
  maxStake: number;
  minimumAge: number;
}

/** The answer, or the code of the refusal with its details; BUSY is the one that asking alone overcomes. */
export interface PlacementOutcome {
  refusal: string | null;
  details: ErrorDetails | null;
  answer: Record<string, unknown> | null;
}

export interface BetRow {
  id: string;
  week_id: number;
  pool_id: string;
  game_id: string;
  market_id: string;
  odds_id: string;
  outcome: string;
  american: number | null;
  price_num: string;
  price_den: string;
  stake: string;
  potential_payout: string;
  status: string;
  payout: string | null;
  reason: string | null;
  placed_at: Date;
  settled_at: Date | null;
}

const COLUMNS = `id, week_id, pool_id, game_id, market_id, odds_id, outcome, american, price_num, price_den, stake,
  potential_payout, status, payout, reason, placed_at, settled_at`;

@Injectable()
export class BetsRepository {
  constructor(private readonly database: Database) {}

  async openWeek(manager: EntityManager, weekId: number): Promise<void> {
    await manager.query('SELECT bets_open_week($1)', [weekId]);
  }

  /**
   * One round trip for bets of different users; see `place_bets` in the migration. Answers in their order. With `wait` it
   * waits for rows and gates that others hold, which only one bet at a time may do.
   */
  async place(
    bets: readonly Placement[],
    { minStake, maxStake, minimumAge }: PlacementRules,
    wait: boolean,
  ): Promise<PlacementOutcome[]> {
    const outcomes: PlacementOutcome[] = [];
    for (const { i, ...told } of await this.database.query<PlacementOutcome & { i: string }>(
      'bets.place',
      'SELECT * FROM place_bets($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)',
      [
        bets.map(({ userId }) => userId),
        bets.map(({ key }) => key),
        bets.map(({ bodyHash }) => bodyHash),
        bets.map(({ marketId }) => marketId),
        bets.map(({ outcome }) => outcome),
        bets.map(({ stake }) => stake),
        bets.map(({ oddsId }) => oddsId),
        bets.map(({ accept }) => accept),
        bets.map(({ weekId }) => weekId),
        minStake,
        maxStake,
        minimumAge,
        wait,
      ],
    ))
      outcomes[Number(i) - 1] = told;
    return outcomes;
  }

  /** A user's bets of some weeks, newest first. Index: ix_bets_user_history of these weeks' partitions. */
  async ofUser(
    userId: string,
    filter: { weekIds: readonly number[]; status: string | null; before: string | null; limit: number },
  ): Promise<BetRow[]> {
    return await this.database.query<BetRow>(
      'bets.of_user',
      `SELECT ${COLUMNS} FROM bets
       WHERE user_id = $1 AND week_id = ANY ($2::int[])
         AND ($3::text IS NULL OR status = $3) AND ($4::bigint IS NULL OR id < $4)
       ORDER BY id DESC LIMIT $5`,
      [userId, filter.weekIds, filter.status, filter.before, filter.limit],
    );
  }

  /** Index: primary key, of the partitions of these weeks. */
  async findOfUser(userId: string, id: string, weekIds: readonly number[]): Promise<BetRow | null> {
    const [row] = await this.database.query<BetRow>(
      'bets.one_of_user',
      `SELECT ${COLUMNS} FROM bets WHERE id = $1 AND user_id = $2 AND week_id = ANY ($3::int[])`,
      [id, userId, weekIds],
    );
    return row ?? null;
  }

  /** How many bets each pool has on these markets. Index: ix_bets_grading. */
  async countByPool(
    manager: EntityManager,
    weekId: number,
    marketIds: string[],
  ): Promise<{ pool_id: string; bets: number }[]> {
    return await manager.query(
      `SELECT pool_id, count(*)::int AS bets FROM bets WHERE week_id = $1 AND market_id = ANY ($2)
       GROUP BY pool_id ORDER BY pool_id`,
      [weekId, marketIds],
    );
  }

  async countOpen(manager: EntityManager, weekId: number): Promise<number> {
    const [row] = await manager.query<{ n: string }[]>(
      `SELECT coalesce(sum(m.bets_open), 0) AS n FROM pools p JOIN pool_members m ON m.pool_id = p.id
       WHERE p.week_id = $1`,
      [weekId],
    );
    return Number(row?.n ?? 0);
  }

  /**
   * Those of the candidates in which these markets have bets (a game moved over a week's end may have several): one probe
   * of ix_bets_grading a week, other partitions are not opened.
   */
  async weeksOf(
    manager: EntityManager,
    marketIds: string[],
    candidates: readonly number[],
  ): Promise<number[]> {
    const rows = await manager.query<{ week_id: number }[]>(
      `SELECT w.week_id FROM unnest($2::int[]) AS w (week_id)
       CROSS JOIN LATERAL (
         SELECT FROM bets b WHERE b.week_id = w.week_id AND b.week_id = ANY ($2) AND b.market_id = ANY ($1) LIMIT 1) bet
       ORDER BY w.week_id`,
      [marketIds, candidates],
    );
    return rows.map((row) => row.week_id);
  }

  /** Locks a user's pools and rows in the weeks that are not settled, and answers these weeks. Before any gate. */
  async lockMember(manager: EntityManager, userId: string): Promise<number[]> {
    const [row] = await manager.query<{ weeks: number[] }[]>('SELECT pools_lock_member($1) AS weeks', [
      userId,
    ]);
    return row?.weeks ?? [];
  }

  /** See `bets_refund_not_begun` in the migration. Index: ix_bets_user_history of these weeks' partitions. */
  async refundNotBegun(
    manager: EntityManager,
    order: { userId: string; exclusionId: string; weekIds: readonly number[]; at: Date },
  ): Promise<{ refundedBets: number; refundedCredits: number; standingBets: number }> {
    const [row] = await manager.query<{ refunded: number; credits: string; standing: number }[]>(
      'SELECT * FROM bets_refund_not_begun($1, $2, $3, $4)',
      [order.userId, order.exclusionId, order.weekIds, order.at],
    );
    return {
      refundedBets: row?.refunded ?? 0,
      refundedCredits: Number(row?.credits ?? 0),
      standingBets: row?.standing ?? 0,
    };
  }
}
