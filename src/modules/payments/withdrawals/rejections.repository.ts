import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database/database.js';
import { newId } from '../../../platform/database/ids.js';
import { withdrawalMachine } from '../domain/withdrawal-machine.js';
import type { WithdrawalRow } from './withdrawals.types.js';

export interface Rejection {
  readonly id: string;
  readonly operatorId: string;
  readonly note: string;
  readonly now: Date;
  readonly requestId: string | null;
}

/** The row as it is now, all null when there is none; and why nothing was done, if so. */
export type RejectionOutcome = WithdrawalRow & {
  readonly refusal: 'WITHDRAWAL_NOT_FOUND' | 'WITHDRAWAL_OWN' | 'WITHDRAWAL_ALREADY_DECIDED' | null;
};

const REJECTED = withdrawalMachine.next('requested', 'reject');

/** Operators' noes: state, money, event and audit entry, each in one call that is a transaction of its own. */
@Injectable()
export class RejectionsRepository {
  constructor(private readonly database: Database) {}

  /**
   * Noes of any operators in one call, in their order; null for one that has to be asked for by itself, to wait or to be told
   * why not. The function is in the migration `…-ledger-groups`. Indexes: primary keys.
   */
  async rejectAll(some: readonly Rejection[]): Promise<(RejectionOutcome | null)[]> {
    const rows = await this.database.query<WithdrawalRow & { place: number }>(
      'withdrawals.reject_all',
      `SELECT place, (withdrawal).* FROM withdrawals_reject($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        some.map(({ id }) => id),
        some.map(({ operatorId }) => operatorId),
        some.map(({ note }) => note),
        some.map(({ now }) => now),
        withdrawalMachine.from('reject'),
        REJECTED,
        some.map(() => newId()),
        some.map(() => newId()),
        some.map(({ requestId }) => requestId),
      ],
    );
    const outcomes: (RejectionOutcome | null)[] = some.map(() => null);
    for (const { place, ...row } of rows) outcomes[place - 1] = { ...row, refusal: null };
    return outcomes;
  }

  /**
   * An operator's no, all of it in one round trip: the state, the money, the event and the audit log. The function is in the
   * migration `…-ledger-speed`. Index: primary key.
   */
  async reject(one: Rejection): Promise<RejectionOutcome> {
    const [row] = await this.database.query<RejectionOutcome>(
      'withdrawals.reject',
      `SELECT refusal, (withdrawal).* FROM withdrawal_reject($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        one.id,
        one.operatorId,
        one.note,
        one.now,
        withdrawalMachine.from('reject'),
        REJECTED,
        newId(),
        newId(),
        one.requestId,
      ],
    );
    if (!row) throw new Error('withdrawal_reject did not answer');
    return row;
  }
}
