/** Something that is not as a rule of the ledger says. */
export interface LedgerProblem {
  /** What it is about: `transfer 0193…`, `account user_available 0193… USD`. */
  readonly subject: string;
  readonly problem: string;
}

export interface VerifiedRule {
  readonly rule: string;
  /** The first of them; `more` tells that there are others. */
  readonly problems: LedgerProblem[];
  readonly more: boolean;
}

/** What was found at one moment of the database. */
export interface LedgerReport {
  readonly passed: boolean;
  readonly accounts: number;
  readonly transfers: number;
  readonly entries: number;
  readonly holds: number;
  readonly milliseconds: number;
  readonly rules: VerifiedRule[];
}

/** Of a verification that an operator asked for. `failed`: it could not be done, which says nothing of the ledger. */
export const VERIFICATION_STATES = ['queued', 'running', 'done', 'failed'] as const;
export type VerificationState = (typeof VERIFICATION_STATES)[number];
