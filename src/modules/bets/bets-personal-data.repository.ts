import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
} from '../../platform/privacy/personal-data.decorator.js';

@HoldsPersonalData()
@Injectable()
export class BetsPersonalData implements PersonalDataHolder {
  readonly tables = ['user_stake_limits'];
  readonly kept = [
    { table: 'bets', why: 'the credits of a pool add up over all its bets; ids and figures only' },
  ];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    return [
      {
        file: 'bets',
        rows: snapshot.rows(
          `SELECT id::text AS id, week_id, pool_id, legs, game_id, market_id, odds_id, outcome, american, price_num, price_den,
                  stake, potential_payout, status, payout, reason, settlement_id, placed_at, settled_at
           FROM bets b WHERE b.user_id = $1 ORDER BY b.id`,
          [userId],
        ),
      },
      {
        file: 'bet-legs',
        rows: snapshot.rows(
          `SELECT l.bet_id::text AS bet_id, l.number, l.game_id, l.market_id, l.odds_id, l.outcome, l.american, l.price_num,
                  l.price_den, l.status, l.factor_num, l.factor_den, l.reason, l.settlement_id
           FROM bets b JOIN bet_legs l ON l.bet_id = b.id AND l.pool_id = b.pool_id AND l.week_id = b.week_id
           WHERE b.user_id = $1 AND b.legs > 1 ORDER BY l.bet_id, l.number`,
          [userId],
        ),
      },
      {
        file: 'stake-limits',
        rows: snapshot.rows('SELECT max_stake, updated_at FROM user_stake_limits WHERE user_id = $1', [
          userId,
        ]),
      },
      {
        file: 'bet-corrections',
        rows: snapshot.rows(
          `SELECT r.bet_id::text AS bet_id, r.week_id, r.settlement_id, r.reversed_settlement_id, r.old_status, r.old_payout,
                  r.new_status, r.new_payout, r.created_at
           FROM bets b JOIN bet_regrades r ON r.bet_id = b.id AND r.week_id = b.week_id
           WHERE b.user_id = $1 ORDER BY r.bet_id, r.created_at`,
          [userId],
        ),
      },
    ];
  }

  /** Nothing of a bet tells who the user was; an open one postpones the erasure (pools). */
  async erase(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('DELETE FROM user_stake_limits WHERE user_id = $1', [userId]);
  }
}
