import { Injectable } from '@nestjs/common';
import type { Snapshot } from '../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
} from '../../platform/privacy/personal-data.decorator.js';

@HoldsPersonalData()
@Injectable()
export class SportsPersonalData implements PersonalDataHolder {
  readonly tables = [];
  readonly kept = [
    {
      table: 'market_void_requests',
      why: 'who decided over the bets of others; operators only, ids and what they gave as their reason',
    },
  ];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    return [
      {
        file: 'market-void-requests',
        rows: snapshot.rows(
          `SELECT id, game_id, market_id, report, requested_by, requested_at, expires_at, reason, bets, approved_by, approved_at
           FROM market_void_requests WHERE requested_by = $1 OR approved_by = $1 ORDER BY id`,
          [userId],
        ),
      },
    ];
  }

  /** What an operator decided stays, as it does in the audit log. */
  erase(): Promise<void> {
    return Promise.resolve();
  }
}
