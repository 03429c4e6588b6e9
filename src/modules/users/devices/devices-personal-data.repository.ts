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
export class DevicesPersonalData implements PersonalDataHolder {
  readonly tables = ['devices'];
  readonly kept = [];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    return [
      {
        file: 'devices',
        rows: snapshot.rows(
          `SELECT id, platform, token, app_version, locale, created_at, registered_at FROM devices WHERE user_id = $1
           ORDER BY registered_at, id`,
          [userId],
        ),
      },
    ];
  }

  async erase(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('DELETE FROM devices WHERE user_id = $1', [userId]);
  }
}
