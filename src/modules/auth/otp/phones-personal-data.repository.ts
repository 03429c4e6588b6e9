import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { JsonRow, Snapshot } from '../../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
} from '../../../platform/privacy/personal-data.decorator.js';
import { columnContext, KeyRing } from '../../../platform/security/key-ring.js';

/** The number someone signs in with, and the codes sent to it. */
@HoldsPersonalData()
@Injectable()
export class PhonesPersonalData implements PersonalDataHolder {
  readonly tables = ['user_phones', 'otp_challenges'];
  readonly kept = [];

  constructor(private readonly keyRing: KeyRing) {}

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    return [
      { file: 'phone', rows: this.readable(snapshot, userId) },
      {
        file: 'one-time-codes',
        rows: snapshot.rows(
          `SELECT purpose, tries, created_at, sent_at, expires_at, used_at FROM otp_challenges
           WHERE user_id = $1 OR number_index = (SELECT number_index FROM user_phones WHERE user_id = $1)
           ORDER BY created_at, id`,
          [userId],
        ),
      },
    ];
  }

  async identitiesOf(manager: EntityManager, userId: string): Promise<Buffer[]> {
    const rows = await manager.query<{ number_index: Buffer }[]>(
      'SELECT number_index FROM user_phones WHERE user_id = $1',
      [userId],
    );
    return rows.map((row) => row.number_index);
  }

  async erase(manager: EntityManager, userId: string): Promise<void> {
    await manager.query(
      `DELETE FROM otp_challenges
       WHERE user_id = $1 OR number_index = (SELECT number_index FROM user_phones WHERE user_id = $1)`,
      [userId],
    );
    await manager.query('DELETE FROM user_phones WHERE user_id = $1', [userId]);
  }

  private async *readable(snapshot: Snapshot, userId: string): AsyncGenerator<JsonRow> {
    const rows = snapshot.rows('SELECT number, verified_at FROM user_phones WHERE user_id = $1', [userId]);
    for await (const { number, ...row } of rows) {
      const encrypted = Buffer.from(String(number), 'base64');
      yield {
        number: this.keyRing.decryptText(encrypted, columnContext('user_phones', 'number', userId)),
        ...row,
      };
    }
  }
}
