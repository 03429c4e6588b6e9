import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';

export interface StakeLimitRow {
  max_stake: string;
  updated_at: Date;
}

const FIND = 'SELECT max_stake, updated_at FROM user_stake_limits WHERE user_id = $1';

@Injectable()
export class StakeLimitsRepository {
  constructor(private readonly database: Database) {}

  async find(userId: string): Promise<StakeLimitRow | null> {
    const [row] = await this.database.query<StakeLimitRow & Record<string, unknown>>(
      'bets.stake_limit',
      FIND,
      [userId],
    );
    return row ?? null;
  }

  /**
   * Waits for the user's bets that are being placed and holds off those to come: once this has committed, none is above the limit.
   * Answers what it was.
   */
  async lock(manager: EntityManager, userId: string): Promise<StakeLimitRow | null> {
    await manager.query('SELECT parley_gate_shut($1)', [userId]);
    const [row] = await manager.query<StakeLimitRow[]>(FIND, [userId]);
    return row ?? null;
  }

  /** Null takes it away. */
  async save(manager: EntityManager, userId: string, maxStake: number | null, at: Date): Promise<void> {
    if (maxStake === null) await manager.query('DELETE FROM user_stake_limits WHERE user_id = $1', [userId]);
    else
      await manager.query(
        `INSERT INTO user_stake_limits (user_id, max_stake, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (user_id) DO UPDATE SET max_stake = excluded.max_stake, updated_at = excluded.updated_at`,
        [userId, maxStake, at],
      );
  }
}
