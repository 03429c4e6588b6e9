import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
  sectionsOf,
} from '../../../platform/privacy/personal-data.decorator.js';
import { OWN_MARKERS, OWN_SCORE } from './harm-flags.repository.js';

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

  /** Without what a device tells, nor what was noted of it: that somebody else who uses it is excluded is theirs to tell. */
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
        `SELECT f.id, f.first_day::text AS first_day, f.day::text AS day, ${OWN_SCORE} AS score, ${OWN_MARKERS} AS markers,
                f.created_at, f.decided_at, f.decision, CASE WHEN f.score = ${OWN_SCORE} THEN f.decision_note END AS decision_note
         FROM harm_flags f WHERE f.user_id = $1 AND ${OWN_SCORE} > 0 ORDER BY f.id`,
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
