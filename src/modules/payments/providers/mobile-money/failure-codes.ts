/** Why mobile money failed, in our words: what providers say with some fifty codes between them. */
export type FailureCode =
  | 'insufficient_funds'
  | 'declined'
  | 'timed_out'
  | 'wrong_pin'
  | 'limit_reached'
  | 'amount_out_of_range'
  /** The number has no wallet there, or not in this country. */
  | 'account_not_found'
  /** Its wallet is barred, closed or may not take part in this. */
  | 'account_not_allowed'
  /** Our own wallet at the provider cannot cover a pay-out or a refund. */
  | 'provider_balance_too_low'
  /** They refuse us, not the payer: a setting of ours is wrong. An operator reads which in the log. */
  | 'provider_refused'
  /** A part of a payment was to be refunded where only whole payments are. */
  | 'whole_refunds_only'
  /** They failed and give no better reason. */
  | 'provider_error';

/** What a code settles: that it failed (and how), that the same was asked before, that they know nothing of it, or nothing at all. */
export type Verdict =
  | {
      readonly is: 'failed';
      readonly status: 'failed' | 'expired' | 'cancelled';
      readonly failureCode: FailureCode;
    }
  | { readonly is: 'succeeded' | 'pending' | 'duplicate' | 'missing' | 'unknown' };

export const failed = (
  failureCode: FailureCode,
  status: 'failed' | 'expired' | 'cancelled' = 'failed',
): Verdict => ({ is: 'failed', status, failureCode });
