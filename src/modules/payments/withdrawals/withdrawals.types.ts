import type { WithdrawalState } from '../domain/withdrawal-machine.js';

/** A row of `withdrawals`; the amount is minor units, as text. */
export interface WithdrawalRow {
  readonly id: string;
  readonly user_id: string;
  readonly amount: string;
  readonly currency: string;
  readonly provider: string;
  /** Encrypted; null once the user is erased. */
  readonly destination: Buffer | null;
  readonly hold_id: string;
  readonly transfer_id: string | null;
  readonly status: WithdrawalState;
  readonly provider_reference: string | null;
  readonly failure_code: string | null;
  /** What does not fit, or why it was held back: an operator has to look. */
  readonly review: string | null;
  readonly checks: number;
  readonly requested_at: Date;
  readonly decided_at: Date | null;
  readonly decided_by: string | null;
  readonly note: string | null;
  readonly submitted_at: Date | null;
  readonly settled_at: Date | null;
}
