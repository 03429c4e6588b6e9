import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
  sectionsOf,
} from '../../../platform/privacy/personal-data.decorator.js';

/** The second factor, and devices that an account is known by (keyed hashes: only their times can be told). */
@HoldsPersonalData()
@Injectable()
export class ProtectionPersonalData implements PersonalDataHolder {
  readonly tables = ['known_devices', 'totp', 'totp_recovery_codes', 'second_factor_challenges'];
  readonly kept = [];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    const section = sectionsOf(snapshot, userId);
    return [
      section('known-devices', 'SELECT seen_at FROM known_devices WHERE user_id = $1 ORDER BY seen_at'),
      section(
        'second-factor',
        `SELECT t.created_at, t.confirmed_at,
                (SELECT count(*) FROM totp_recovery_codes c WHERE c.user_id = t.user_id AND c.used_at IS NULL)
                  AS recovery_codes_left
         FROM totp t WHERE t.user_id = $1`,
      ),
      section(
        'second-factor-questions',
        `SELECT proof, tries, created_at, expires_at, used_at FROM second_factor_challenges WHERE user_id = $1
         ORDER BY created_at`,
      ),
    ];
  }

  /** The recovery codes go with their secret. */
  async erase(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('DELETE FROM second_factor_challenges WHERE user_id = $1', [userId]);
    await manager.query('DELETE FROM known_devices WHERE user_id = $1', [userId]);
    await manager.query('DELETE FROM totp WHERE user_id = $1', [userId]);
  }
}
