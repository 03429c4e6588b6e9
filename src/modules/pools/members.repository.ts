import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { WeekState } from './domain/week-machine.js';

export interface MemberRow {
  pool_id: string;
  pool_name: string;
  pool_size: number;
  balance: string;
  debt: string;
  staked: string;
  paid_out: string;
  bets_placed: number;
  bets_open: number;
}

export interface TableRow {
  rank: string;
  user_id: string;
  credits: string;
  staked: string;
  paid_out: string;
  bets_placed: number;
  bets_open: number;
  draw_position: number;
}

export interface PoolRow {
  id: string;
  week_id: number;
  name: string;
  size: number;
}

/** By a pass, or by a subscription. Indexes: primary key of week_passes, ix_week_purchases_user. */
const REGISTERED = `
  SELECT FROM week_passes WHERE user_id = $1 AND week_id = $2
  UNION ALL
  SELECT FROM week_purchases WHERE user_id = $1 AND last_week_id >= $2 AND week_id <= $2 AND purpose = 'subscription'
    AND refused IS NULL AND taken_back_at IS NULL
  LIMIT 1`;

/** Members of pools, their credits, and passes. */
@Injectable()
export class MembersRepository {
  constructor(private readonly database: Database) {}

  /** Where a user plays in a week. Indexes: primary keys of week_entries, pool_members and pools. */
  async findMember(userId: string, weekId: number): Promise<MemberRow | null> {
    const [row] = await this.database.query<MemberRow>(
      'members.of_user',
      `SELECT m.pool_id, p.name AS pool_name, p.size AS pool_size, m.balance, m.debt, m.staked, m.paid_out,
              m.bets_placed, m.bets_open
       FROM week_entries e JOIN pool_members m ON m.pool_id = e.pool_id AND m.user_id = e.user_id
       JOIN pools p ON p.id = m.pool_id
       WHERE e.user_id = $1 AND e.week_id = $2`,
      [userId, weekId],
    );
    return row ?? null;
  }

  async lockMember(manager: EntityManager, userId: string, weekId: number): Promise<MemberRow | null> {
    const [row] = await manager.query<MemberRow[]>(
      `SELECT m.pool_id, '' AS pool_name, 0 AS pool_size, m.balance, m.debt, m.staked, m.paid_out, m.bets_placed, m.bets_open
       FROM week_entries e JOIN pool_members m ON m.pool_id = e.pool_id AND m.user_id = e.user_id
       WHERE e.user_id = $1 AND e.week_id = $2 FOR UPDATE OF m`,
      [userId, weekId],
    );
    return row ?? null;
  }

  async findPool(poolId: string, weekId: number): Promise<PoolRow | null> {
    const [row] = await this.database.query<PoolRow>(
      'pools.one',
      'SELECT id, week_id, name, size FROM pools WHERE id = $1 AND week_id = $2',
      [poolId, weekId],
    );
    return row ?? null;
  }

  async poolsOf(weekId: number): Promise<PoolRow[]> {
    return await this.database.query<PoolRow>(
      'pools.of_week',
      'SELECT id, week_id, name, size FROM pools WHERE week_id = $1 ORDER BY number',
      [weekId],
    );
  }

  /** A pool's table as it stands, whole (a pool has at most 1,000 rows). Index: primary key of pool_members. */
  async liveTable(poolId: string): Promise<TableRow[]> {
    return await this.database.query<TableRow>(
      'tables.live',
      `SELECT rank() OVER (ORDER BY balance - debt DESC) AS rank, user_id, balance - debt AS credits, staked, paid_out,
              bets_placed, bets_open, draw_position
       FROM pool_members WHERE pool_id = $1 ORDER BY balance - debt DESC, user_id`,
      [poolId],
    );
  }

  /** The table as it was settled. Index: ix_leaderboard_snapshots_rank. */
  async settledTable(poolId: string): Promise<TableRow[]> {
    return await this.database.query<TableRow>(
      'tables.settled',
      `SELECT s.rank, s.user_id, s.credits, s.staked, s.paid_out, s.bets_placed, 0 AS bets_open, m.draw_position
       FROM leaderboard_snapshots s JOIN pool_members m ON m.pool_id = s.pool_id AND m.user_id = s.user_id
       WHERE s.pool_id = $1 ORDER BY s.rank, s.user_id`,
      [poolId],
    );
  }

  /** False when the user holds one already. */
  async insertPass(
    manager: EntityManager,
    pass: {
      userId: string;
      weekId: number;
      source: 'admin' | 'payment';
      grantedBy: string | null;
      now: Date;
    },
  ): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `INSERT INTO week_passes (user_id, week_id, source, granted_by, created_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT DO NOTHING RETURNING 1`,
      [pass.userId, pass.weekId, pass.source, pass.grantedBy, pass.now],
    );
    return rows.length > 0;
  }

  /** Whether the user will be in the draw of the week, as it is shown. */
  async hasPass(userId: string, weekId: number): Promise<boolean> {
    return (await this.database.query('passes.held', REGISTERED, [userId, weekId])).length > 0;
  }

  /** The same, within the transaction that decides by it. */
  async isRegistered(manager: EntityManager, userId: string, weekId: number): Promise<boolean> {
    return (await manager.query<unknown[]>(REGISTERED, [userId, weekId])).length > 0;
  }

  /**
   * Enters the gates of the week and the user, as place_bets does, and only then looks: the week's state and what bars the
   * user from playing. The caller holds the member's row.
   */
  async enterGates(
    manager: EntityManager,
    member: { userId: string; weekId: number; minimumAge: number },
  ): Promise<{ status: WeekState; refusal: string | null }> {
    const { userId, weekId, minimumAge } = member;
    await manager.query(
      'SELECT parley_gate_enter(gate), parley_gate_enter($2::uuid) FROM weeks WHERE id = $1',
      [weekId, userId],
    );
    const [row] = await manager.query<{ status: WeekState; refusal: string | null }[]>(
      `SELECT w.status, c.code AS refusal
       FROM weeks w LEFT JOIN LATERAL compliance_refusal($2, parley_now(), $3) c ON true WHERE w.id = $1`,
      [weekId, userId, minimumAge],
    );
    if (!row) throw new Error('A member of a week that does not exist');
    return row;
  }

  async hasBoughtBack(manager: EntityManager, userId: string, poolId: string): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      "SELECT 1 FROM credit_adjustments WHERE pool_id = $1 AND user_id = $2 AND kind = 'buy_back'",
      [poolId, userId],
    );
    return rows.length > 0;
  }

  /** Adds credits to a locked member, once for each reference. */
  async adjust(
    manager: EntityManager,
    change: {
      id: string;
      poolId: string;
      userId: string;
      weekId: number;
      amount: number;
      reference: string;
      now: Date;
    },
  ): Promise<number> {
    await manager.query(
      `INSERT INTO credit_adjustments (id, pool_id, user_id, week_id, kind, amount, reference, created_at)
       VALUES ($1, $2, $3, $4, 'buy_back', $5, $6, $7)`,
      [change.id, change.poolId, change.userId, change.weekId, change.amount, change.reference, change.now],
    );
    const [rows] = await manager.query<[{ balance: string }[], number]>(
      `UPDATE pool_members SET balance = balance + $3, adjustments = adjustments + $3
       WHERE pool_id = $1 AND user_id = $2 RETURNING balance`,
      [change.poolId, change.userId, change.amount],
    );
    return Number(rows[0]?.balance);
  }
}
