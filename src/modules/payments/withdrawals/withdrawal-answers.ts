import { Injectable } from '@nestjs/common';
import { columnContext, KeyRing } from '../../../platform/security/key-ring.js';
import type { AdminWithdrawalDto, WithdrawalDto } from './dto/withdrawals.dto.js';
import type { WithdrawalRow } from './withdrawals.types.js';

const SHOWN = 4;

/** Where withdrawals go is encrypted at rest; answers show its end. */
@Injectable()
export class WithdrawalAnswers {
  constructor(private readonly keyRing: KeyRing) {}

  encrypt(id: string, destination: string): Buffer {
    return this.keyRing.encrypt(destination, contextOf(id));
  }

  /** Null once the user is erased. */
  destinationOf({ id, destination }: Pick<WithdrawalRow, 'id' | 'destination'>): string | null {
    return destination && this.keyRing.decryptText(destination, contextOf(id));
  }

  toDto(row: WithdrawalRow): WithdrawalDto {
    const destination = this.destinationOf(row);
    return {
      id: row.id,
      amount: Number(row.amount),
      currency: row.currency,
      provider: row.provider,
      destination: destination === null ? null : `…${destination.slice(-SHOWN)}`,
      status: row.status,
      failureCode: row.failure_code,
      requestedAt: row.requested_at.toISOString(),
      decidedAt: row.decided_at?.toISOString() ?? null,
      settledAt: row.settled_at?.toISOString() ?? null,
    };
  }

  toAdminDto(row: WithdrawalRow): AdminWithdrawalDto {
    const { user_id: userId, decided_by: decidedBy, note, review } = row;
    return Object.assign(this.toDto(row), { userId, decidedBy, note, review });
  }
}

function contextOf(id: string): string {
  return columnContext('withdrawals', 'destination', id);
}
