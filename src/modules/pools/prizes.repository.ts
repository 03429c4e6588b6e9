import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';

export interface StandingRow {
  pool_id: string;
  user_id: string;
  draw_position: number;
  credits: string;
  staked: string;
}

/** A prize that was paid. */
export interface AwardRow {
  poolId: string;
  userId: string;
  places: readonly number[];
  amount: bigint;
  transferId: string;
  createdAt: Date;
}

export interface PotRow {
  poolId: string;
  amount: bigint;
  carriedIn: bigint;
  carriedOut: bigint;
  carryTransferId: string | null;
  /** How often its prizes were paid: the first time, and by each correction. */
  revision: number;
}

export interface PrizeRow {
  user_id: string;
  places: number[];
  amount: string;
  currency: string;
}

/** A row as it is read: bigints come as text. */
type Raw<Row, Big extends keyof Row> = Omit<Row, Big> & Record<Big, string>;

@Injectable()
export class PrizesRepository {
  constructor(private readonly database: Database) {}

  /** Keeps the tables of a whole week as they stand; taking them again replaces them. */
  async snapshotTables(manager: EntityManager, weekId: number): Promise<void> {
    await manager.query(
      'DELETE FROM leaderboard_snapshots WHERE pool_id IN (SELECT id FROM pools WHERE week_id = $1)',
      [weekId],
    );
    await manager.query(
      `INSERT INTO leaderboard_snapshots (week_id, pool_id, user_id, rank, credits, staked, paid_out, bets_placed)
       SELECT m.week_id, m.pool_id, m.user_id, rank() OVER (PARTITION BY m.pool_id ORDER BY m.balance - m.debt DESC),
              m.balance - m.debt, m.staked, m.paid_out, m.bets_placed
       FROM pools p JOIN pool_members m ON m.pool_id = p.id WHERE p.week_id = $1`,
      [weekId],
    );
  }

  async differsFromSnapshot(manager: EntityManager, weekId: number): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `SELECT 1 FROM pools p JOIN pool_members m ON m.pool_id = p.id
       LEFT JOIN leaderboard_snapshots s ON s.pool_id = m.pool_id AND s.user_id = m.user_id
       WHERE p.week_id = $1 AND (s.credits, s.staked, s.paid_out, s.bets_placed)
             IS DISTINCT FROM (m.balance - m.debt, m.staked, m.paid_out, m.bets_placed)
       LIMIT 1`,
      [weekId],
    );
    return rows.length > 0;
  }

  async standings(manager: EntityManager, weekId: number): Promise<StandingRow[]> {
    return await manager.query<StandingRow[]>(
      `SELECT m.pool_id, m.user_id, m.draw_position, m.balance - m.debt AS credits, m.staked
       FROM pools p JOIN pool_members m ON m.pool_id = p.id WHERE p.week_id = $1 ORDER BY p.number, m.user_id`,
      [weekId],
    );
  }

  /** The pots of a week whose prizes were paid; none before that. Index: ix_prize_pots_week. */
  async paidPots(manager: EntityManager, weekId: number): Promise<PotRow[]> {
    return (
      await manager.query<Raw<PotRow, 'amount' | 'carriedIn' | 'carriedOut'>[]>(
        `SELECT t.pool_id AS "poolId", t.amount, t.carried_in AS "carriedIn", t.carried_out AS "carriedOut", t.revision,
                t.carry_transfer_id AS "carryTransferId"
         FROM prize_pots t JOIN pools p ON p.id = t.pool_id WHERE t.week_id = $1 AND t.revision > 0 ORDER BY p.number`,
        [weekId],
      )
    ).map((row) => ({
      ...row,
      amount: BigInt(row.amount),
      carriedIn: BigInt(row.carriedIn),
      carriedOut: BigInt(row.carriedOut),
    }));
  }

  async paidPrizes(manager: EntityManager, weekId: number): Promise<AwardRow[]> {
    return (
      await manager.query<Raw<AwardRow, 'amount'>[]>(
        `SELECT z.pool_id AS "poolId", z.user_id AS "userId", z.places, z.amount, z.transfer_id AS "transferId",
                z.created_at AS "createdAt"
         FROM pools p JOIN prizes z ON z.pool_id = p.id WHERE p.week_id = $1 AND z.status = 'paid'`,
        [weekId],
      )
    ).map((row) => ({ ...row, amount: BigInt(row.amount) }));
  }

  /**
   * What earlier weeks could give nobody and no other week has taken over yet: a week without a pool passes it on. Two
   * weeks that are settled at once take turns, so that neither takes what the other does.
   */
  async unclaimed(manager: EntityManager, weekId: number, currency: string): Promise<bigint> {
    await manager.query('LOCK TABLE prize_pots IN SHARE ROW EXCLUSIVE MODE');
    const [row] = await manager.query<{ unclaimed: string }[]>(
      `SELECT greatest(0, coalesce(sum(carried_out) FILTER (WHERE week_id < $1), 0) - coalesce(sum(carried_in), 0))
         AS unclaimed
       FROM prize_pots WHERE currency = $2`,
      [weekId, currency],
    );
    return BigInt(row?.unclaimed ?? 0);
  }

  /** Writes a week's pots and prizes, all of them paid, in place of those that were. */
  async replace(
    manager: EntityManager,
    week: { id: number; currency: string },
    pots: readonly PotRow[],
    awards: readonly AwardRow[],
  ): Promise<void> {
    await manager.query('DELETE FROM prizes WHERE pool_id IN (SELECT id FROM pools WHERE week_id = $1)', [
      week.id,
    ]);
    await manager.query('DELETE FROM prize_pots WHERE pool_id IN (SELECT id FROM pools WHERE week_id = $1)', [
      week.id,
    ]);
    await manager.query(
      `INSERT INTO prize_pots (pool_id, week_id, currency, amount, carried_in, carried_out, revision, carry_transfer_id)
       SELECT pool_id, $1, $2, amount, carried_in, carried_out, revision, carry
       FROM unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::int[], $8::uuid[])
         AS p (pool_id, amount, carried_in, carried_out, revision, carry)`,
      [
        week.id,
        week.currency,
        pots.map(({ poolId }) => poolId),
        pots.map(({ amount }) => String(amount)),
        pots.map(({ carriedIn }) => String(carriedIn)),
        pots.map(({ carriedOut }) => String(carriedOut)),
        pots.map(({ revision }) => revision),
        pots.map(({ carryTransferId }) => carryTransferId),
      ],
    );
    await manager.query(
      `INSERT INTO prizes (pool_id, user_id, week_id, places, amount, currency, status, transfer_id, created_at)
       SELECT pool_id, user_id, $1, places::int[], amount, $2, 'paid', transfer_id, created_at
       FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::uuid[], $8::timestamptz[])
         AS a (pool_id, user_id, places, amount, transfer_id, created_at)`,
      [
        week.id,
        week.currency,
        awards.map(({ poolId }) => poolId),
        awards.map(({ userId }) => userId),
        awards.map(({ places }) => `{${places.join(',')}}`),
        awards.map(({ amount }) => String(amount)),
        awards.map(({ transferId }) => transferId),
        awards.map(({ createdAt }) => createdAt),
      ],
    );
  }

  async ofPool(poolId: string): Promise<PrizeRow[]> {
    return await this.database.query<PrizeRow>(
      'prizes.of_pool',
      'SELECT user_id, places, amount, currency FROM prizes WHERE pool_id = $1 ORDER BY places, amount DESC, user_id',
      [poolId],
    );
  }
}
