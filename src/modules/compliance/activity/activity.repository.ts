import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database/database.js';
import type { Moved } from './domain/statement.js';

@Injectable()
export class ActivityRepository {
  constructor(private readonly database: Database) {}

  /** Sums of the ledger, which are read whole: as many as a user has payments, prizes and withdrawals. Indexes: see `ledger_activity`. */
  async of(userId: string): Promise<Moved[]> {
    const rows = await this.database.query<Omit<Moved, 'amount'> & { amount: string }>(
      'activity.of_user',
      'SELECT month::text, currency, what, amount FROM ledger_activity($1)',
      [userId],
    );
    return rows.map((row) => ({ ...row, amount: BigInt(row.amount) }));
  }
}
