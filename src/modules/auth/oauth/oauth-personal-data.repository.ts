import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
} from '../../../platform/privacy/personal-data.decorator.js';
import { BlindIndex } from '../../../platform/security/blind-index.js';

/** Whose accounts elsewhere are whose here. */
@HoldsPersonalData()
@Injectable()
export class OAuthPersonalData implements PersonalDataHolder {
  readonly tables = ['oauth_identities'];
  readonly kept = [];

  constructor(private readonly blindIndex: BlindIndex) {}

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    return [
      {
        file: 'linked-accounts',
        rows: snapshot.rows(
          `SELECT provider, subject, email, email_verified, private_relay, linked_at, last_used_at FROM oauth_identities
           WHERE user_id = $1 ORDER BY provider`,
          [userId],
        ),
      },
    ];
  }

  async identitiesOf(manager: EntityManager, userId: string): Promise<Buffer[]> {
    const rows = await manager.query<{ provider: string; subject: string }[]>(
      'SELECT provider, subject FROM oauth_identities WHERE user_id = $1',
      [userId],
    );
    return rows.map(({ provider, subject }) => this.blindIndex.of(provider, subject));
  }

  async erase(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('DELETE FROM oauth_identities WHERE user_id = $1', [userId]);
  }
}
