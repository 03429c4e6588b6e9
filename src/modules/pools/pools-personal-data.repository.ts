import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
} from '../../platform/privacy/personal-data.decorator.js';

const DRAW = 'the draw, its proof and the tables of other players hold only together; ids and figures only';

@HoldsPersonalData()
@Injectable()
export class PoolsPersonalData implements PersonalDataHolder {
  readonly tables = [];
  readonly kept = [
    { table: 'week_entries', why: DRAW },
    { table: 'pool_members', why: DRAW },
    { table: 'leaderboard_snapshots', why: DRAW },
    {
      table: 'week_passes',
      why: 'what was bought or given; those of weeks that are not drawn yet are taken back',
    },
    { table: 'week_purchases', why: 'the books of what was paid; ids and figures only' },
    { table: 'credit_adjustments', why: 'the books of the credits; ids and figures only' },
    { table: 'prizes', why: 'the books of what was won; ids and figures only' },
  ];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    const rows = (sql: string) => snapshot.rows(sql, [userId]);
    return [
      {
        file: 'week-passes',
        rows: rows('SELECT week_id, source, created_at FROM week_passes WHERE user_id = $1 ORDER BY week_id'),
      },
      {
        file: 'week-purchases',
        rows: rows(
          `SELECT payment_id, purpose, week_id, last_week_id, pool_id, amount, currency, refused, taken_back_at, created_at
           FROM week_purchases WHERE user_id = $1 ORDER BY created_at, payment_id`,
        ),
      },
      {
        file: 'pools',
        rows: rows(
          `SELECT m.week_id, m.pool_id, p.name AS pool, m.draw_position, m.starting, m.balance, m.adjustments, m.staked,
                  m.paid_out, m.debt, m.bets_placed, m.bets_open, s.rank, s.credits AS final_credits
           FROM weeks w JOIN week_entries e ON e.week_id = w.id AND e.user_id = $1
           JOIN pool_members m ON m.pool_id = e.pool_id AND m.user_id = e.user_id JOIN pools p ON p.id = m.pool_id
           LEFT JOIN leaderboard_snapshots s ON s.pool_id = m.pool_id AND s.user_id = m.user_id
           ORDER BY m.week_id`,
        ),
      },
      {
        file: 'credit-adjustments',
        rows: rows(
          `SELECT a.week_id, a.pool_id, a.kind, a.amount, a.reference, a.created_at
           FROM weeks w JOIN week_entries e ON e.week_id = w.id AND e.user_id = $1
           JOIN credit_adjustments a ON a.pool_id = e.pool_id AND a.user_id = e.user_id ORDER BY a.created_at, a.id`,
        ),
      },
      {
        file: 'prizes',
        rows: rows(
          `SELECT week_id, pool_id, places, amount, currency, status, created_at FROM prizes WHERE user_id = $1
           ORDER BY week_id`,
        ),
      },
    ];
  }

  /** Otherwise nobody would be drawn into a pool that others play in. */
  async erase(manager: EntityManager, userId: string): Promise<void> {
    await manager.query(
      `DELETE FROM week_passes p USING weeks w WHERE p.user_id = $1 AND w.id = p.week_id AND w.status = 'open'`,
      [userId],
    );
    await manager.query(
      `UPDATE week_purchases SET taken_back_at = parley_now()
       WHERE user_id = $1 AND purpose = 'subscription' AND taken_back_at IS NULL`,
      [userId],
    );
  }

  /** Indexes: primary keys of week_entries and pool_members. */
  async openMatter(manager: EntityManager, userId: string): Promise<string | null> {
    const rows = await manager.query<unknown[]>(
      `SELECT FROM weeks w JOIN week_entries e ON e.week_id = w.id AND e.user_id = $1
       JOIN pool_members m ON m.pool_id = e.pool_id AND m.user_id = e.user_id WHERE m.bets_open > 0 LIMIT 1`,
      [userId],
    );
    return rows.length > 0 ? 'open_bets' : null;
  }
}
