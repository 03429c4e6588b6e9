import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
} from './personal-data.decorator.js';

@HoldsPersonalData()
@Injectable()
export class PlatformPersonalData implements PersonalDataHolder {
  readonly tables = ['idempotency_keys'];
  readonly kept = [
    { table: 'audit_log', why: 'the record of who did what is append-only; it holds ids and figures only' },
  ];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    return [
      {
        file: 'audit-log',
        // Who acted on a user is that person's own data.
        rows: snapshot.rows(
          `SELECT at, action, subject_type, subject_id, details, actor_id = $1 AS by_you FROM audit_log
           WHERE actor_id = $1 OR (subject_type = 'user' AND subject_id = $1::text) ORDER BY id`,
          [userId],
        ),
      },
      {
        file: 'idempotency-keys',
        rows: snapshot.rows(
          `SELECT operation, key, status, response, created_at FROM idempotency_keys WHERE user_id = $1
           ORDER BY operation, key`,
          [userId],
        ),
      },
    ];
  }

  async erase(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('DELETE FROM idempotency_keys WHERE user_id = $1', [userId]);
  }
}
