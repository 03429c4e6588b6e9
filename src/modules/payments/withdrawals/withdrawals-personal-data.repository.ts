import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { JsonRow, Snapshot } from '../../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
} from '../../../platform/privacy/personal-data.decorator.js';
import { OPEN_STATES } from '../domain/withdrawal-machine.js';
import { WithdrawalAnswers } from './withdrawal-answers.js';

@HoldsPersonalData()
@Injectable()
export class WithdrawalsPersonalData implements PersonalDataHolder {
  readonly tables = [];
  readonly kept = [
    {
      table: 'withdrawals',
      why: 'the books of what was paid out; where to, and what operators wrote, is erased; ids and figures stay',
    },
  ];

  constructor(private readonly answers: WithdrawalAnswers) {}

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    return [{ file: 'withdrawals', rows: this.readable(snapshot, userId) }];
  }

  async erase(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('UPDATE withdrawals SET destination = NULL, note = NULL WHERE user_id = $1', [
      userId,
    ]);
  }

  /** The money is on its way to a person, or nobody knows yet where it is. Index: ix_withdrawals_user. */
  async openMatter(manager: EntityManager, userId: string): Promise<string | null> {
    const rows = await manager.query<unknown[]>(
      'SELECT FROM withdrawals WHERE user_id = $1 AND (status = ANY ($2) OR review IS NOT NULL) LIMIT 1',
      [userId, OPEN_STATES],
    );
    return rows.length > 0 ? 'open_withdrawals' : null;
  }

  private async *readable(snapshot: Snapshot, userId: string): AsyncGenerator<JsonRow> {
    const rows = snapshot.rows(
      `SELECT id, amount, currency, provider, destination, status, failure_code, note, requested_at, decided_at,
              submitted_at, settled_at
       FROM withdrawals WHERE user_id = $1 ORDER BY id`,
      [userId],
    );
    for await (const { destination, ...row } of rows)
      yield {
        ...row,
        destination: this.answers.destinationOf({
          id: String(row['id']),
          destination: typeof destination === 'string' ? Buffer.from(destination, 'base64') : null,
        }),
      };
  }
}
