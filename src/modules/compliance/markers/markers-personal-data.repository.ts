import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
  sectionsOf,
} from '../../../platform/privacy/personal-data.decorator.js';

/** Signs of harm: figures of days, and what was done about them. */
@HoldsPersonalData()
@Injectable()
export class MarkersPersonalData implements PersonalDataHolder {
  readonly tables = ['harm_days'];
  readonly kept = [
    {
      table: 'harm_flags',
      why: 'the law asks to prove what was done about signs of harm: figures and decisions; notes are removed',
    },
  ];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    const section = sectionsOf(snapshot, userId);
    return [
      section(
        'harm-days',
        `SELECT day::text AS day, bets, night_bets, staked, chasing_bets, payments, declined, paid_in_while_withdrawing, checks,
                score, markers
         FROM harm_days WHERE user_id = $1 ORDER BY day`,
      ),
      section(
        'harm-flags',
        `SELECT id, first_day::text AS first_day, day::text AS day, score, markers, created_at, decided_at, decision,
                decision_note
         FROM harm_flags WHERE user_id = $1 ORDER BY id`,
      ),
    ];
  }

  /** What nobody has decided proves nothing. */
  async erase(manager: EntityManager, userId: string): Promise<void> {
    for (const sql of [
      'DELETE FROM harm_days WHERE user_id = $1',
      'DELETE FROM harm_flags WHERE user_id = $1 AND decided_at IS NULL',
      'UPDATE harm_flags SET decision_note = NULL WHERE user_id = $1',
    ])
      await manager.query(sql, [userId]);
  }
}
