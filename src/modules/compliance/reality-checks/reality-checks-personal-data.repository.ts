import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
  sectionsOf,
} from '../../../platform/privacy/personal-data.decorator.js';

/** Reality checks. They go with the sessions that they are of, 90 days after those have ended. */
@HoldsPersonalData()
@Injectable()
export class RealityChecksPersonalData implements PersonalDataHolder {
  readonly tables = ['reality_checks'];
  readonly kept = [];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    const section = sectionsOf(snapshot, userId);
    return [
      section(
        'reality-checks',
        `SELECT session_id, counts_from, due_at, told_at, acknowledged_at FROM reality_checks
         WHERE user_id = $1 ORDER BY told_at, session_id`,
      ),
    ];
  }

  async erase(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('DELETE FROM reality_checks WHERE user_id = $1', [userId]);
  }
}
