import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
} from '../../../platform/privacy/personal-data.decorator.js';

@HoldsPersonalData()
@Injectable()
export class ExportsPersonalData implements PersonalDataHolder {
  readonly tables = ['data_exports', 'data_export_chunks', 'data_export_links'];
  readonly kept = [];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    return [
      {
        file: 'exports',
        rows: snapshot.rows(
          `SELECT id, status, requested_at, ready_at, expires_at FROM data_exports WHERE user_id = $1
           ORDER BY requested_at`,
          [userId],
        ),
      },
    ];
  }

  /** Its pieces and links go with it. A worker that is writing one finds it gone and stops. */
  async erase(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('DELETE FROM data_exports WHERE user_id = $1', [userId]);
  }
}
