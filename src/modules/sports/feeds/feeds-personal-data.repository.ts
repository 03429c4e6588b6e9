import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
  sectionsOf,
} from '../../../platform/privacy/personal-data.decorator.js';

/** What operators decided about what feeds said. */
@HoldsPersonalData()
@Injectable()
export class FeedsPersonalData implements PersonalDataHolder {
  readonly tables = [];
  readonly kept = [
    {
      table: 'feed_quarantine',
      why: 'who let a score or a result stand has to be known as long as bets were graded by it; their words are removed',
    },
  ];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    return [
      sectionsOf(snapshot, userId)(
        'feed-decisions',
        `SELECT id, source, kind, external_id, reason, status, decided_at, decision_note
         FROM feed_quarantine WHERE decided_by = $1 ORDER BY id`,
      ),
    ];
  }

  async erase(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('UPDATE feed_quarantine SET decision_note = NULL WHERE decided_by = $1', [userId]);
  }
}
