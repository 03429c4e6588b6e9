import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
} from '../../../platform/privacy/personal-data.decorator.js';

/** Reports, of both sides. Who was reported is told that they were, but by nobody's name and in nobody's words. */
@HoldsPersonalData()
@Injectable()
export class ReportsPersonalData implements PersonalDataHolder {
  readonly tables = ['reports'];
  readonly kept = [];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    return [
      {
        file: 'reports-filed',
        rows: snapshot.rows(
          `SELECT id, subject_type, subject_id, reason, note, status, created_at, decided_at
           FROM reports WHERE reporter_id = $1 ORDER BY id`,
          [userId],
        ),
      },
      {
        file: 'reports-about-you',
        rows: snapshot.rows(
          `SELECT subject_type, subject_id, reason, status, created_at, decided_at FROM reports WHERE user_id = $1
           ORDER BY id`,
          [userId],
        ),
      },
    ];
  }

  /** Words go, whoever wrote them; who reported whom for what stays, between pseudonyms. */
  async erase(manager: EntityManager, userId: string): Promise<void> {
    await manager.query(
      `UPDATE reports SET note = NULL, decision_note = CASE WHEN user_id = $1 THEN NULL ELSE decision_note END
       WHERE id = ANY (ARRAY(SELECT id FROM reports WHERE reporter_id = $1 OR user_id = $1 ORDER BY id FOR UPDATE))`,
      [userId],
    );
  }
}
