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
  maxPayout: number;
  minimumAge: number;
}

/** The answer, or the code of the refusal with its details; BUSY is the one that asking alone overcomes. */
export interface PlacementOutcome {
  refusal: string | null;
  details: ErrorDetails | null;
  answer: Record<string, unknown> | null;
}

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
    { minStake, maxStake, maxPayout, minimumAge }: PlacementRules,
    wait: boolean,
  ): Promise<PlacementOutcome[]> {
    const outcomes: PlacementOutcome[] = [];
    for (const { i, ...told } of await this.database.query<PlacementOutcome & { i: string }>(
      'bets.place',
      'SELECT * FROM place_bets($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)',
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
        maxPayout,
        minimumAge,
        wait,
      ],
    ))
      outcomes[Number(i) - 1] = told;
    return outcomes;
  }

  /** Singles and legs of parlays, but for what was taken back. Index: ix_bets_grading and ix_bet_legs_grading. */
  async countOnMarkets(manager: EntityManager, marketIds: readonly string[]): Promise<number> {
    const [row] = await manager.query<{ n: number }[]>(
      `SELECT ((SELECT count(*) FROM bets WHERE market_id = ANY ($1::uuid[]) AND status <> 'cancelled')
             + (SELECT count(*) FROM bet_legs l JOIN bets b ON b.id = l.bet_id AND b.pool_id = l.pool_id AND b.week_id = l.week_id
                WHERE l.market_id = ANY ($1::uuid[]) AND b.status <> 'cancelled'))::int AS n`,
      [marketIds],
    );
    return row?.n ?? 0;
  }

  /** How many bets, and legs of parlays, each pool has on these markets. Indexes: ix_bets_grading, ix_bet_legs_grading. */
  async countByPool(
    manager: EntityManager,
    weekId: number,
    marketIds: string[],
  ): Promise<{ pool_id: string; bets: number }[]> {
    return await manager.query(
      `SELECT pool_id, sum(n)::int AS bets FROM (
         SELECT pool_id, count(*) AS n FROM bets WHERE week_id = $1 AND market_id = ANY ($2) GROUP BY pool_id
         UNION ALL
         SELECT pool_id, count(*) FROM bet_legs WHERE week_id = $1 AND market_id = ANY ($2) GROUP BY pool_id) b
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
   * of ix_bets_grading and of ix_bet_legs_grading a week, other partitions are not opened.
   */
  async weeksOf(
    manager: EntityManager,
    marketIds: string[],
    candidates: readonly number[],
  ): Promise<number[]> {
    const rows = await manager.query<{ week_id: number }[]>(
      `SELECT w.week_id FROM unnest($2::int[]) AS w (week_id)
       CROSS JOIN LATERAL (
         (SELECT FROM bets b WHERE b.week_id = w.week_id AND b.week_id = ANY ($2) AND b.market_id = ANY ($1) LIMIT 1)
         UNION ALL
         (SELECT FROM bet_legs l WHERE l.week_id = w.week_id AND l.week_id = ANY ($2) AND l.market_id = ANY ($1) LIMIT 1)
         LIMIT 1) bet
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
