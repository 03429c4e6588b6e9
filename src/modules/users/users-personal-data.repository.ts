import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
} from '../../platform/privacy/personal-data.decorator.js';
import { BlindIndex } from '../../platform/security/blind-index.js';

@HoldsPersonalData()
@Injectable()
export class UsersPersonalData implements PersonalDataHolder {
  readonly tables = ['users'];
  readonly kept = [];

  constructor(private readonly blindIndex: BlindIndex) {}

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    return [
      {
        file: 'account',
        rows: snapshot.rows(
          `SELECT id, email, email_verified_at, handle, display_name, birth_date, age_verified_at, role, status, banned_until, ban_reason,
                  closing_at, terms_version, terms_accepted_at, address_tried_at, created_at
           FROM users WHERE id = $1`,
          [userId],
        ),
      },
    ];
  }

  async identitiesOf(manager: EntityManager, userId: string): Promise<Buffer[]> {
    const rows = await manager.query<{ email: string }[]>(
      'SELECT email FROM users WHERE id = $1 AND email IS NOT NULL',
      [userId],
    );
    return rows.map(({ email }) => this.blindIndex.of('email', email.toLowerCase()));
  }

  /** The row stays as the pseudonym of all that is kept; email and handle are free again. */
  async erase(manager: EntityManager, userId: string): Promise<void> {
    await manager.query(
      `UPDATE users SET email = NULL, email_verified_at = NULL, display_name = 'Deleted user', birth_date = '1900-01-01', age_verified_at = NULL,
              handle = 'deleted_' || substr(md5(gen_random_uuid()::text), 1, 12), role = 'user', status = 'erased',
              banned_until = NULL, ban_reason = NULL, long_ban = false, closing_at = NULL, address_tried_at = NULL
       WHERE id = $1 AND status <> 'erased'`,
      [userId],
    );
  }
}
