import type { AccountRef, LedgerMetadata } from './domain/posting.js';

export type { AccountKind, AccountRef, LedgerMetadata, Leg, Posting } from './domain/posting.js';

export interface Posted {
  readonly transferId: string;
  /** True when it had been posted before, and nothing was done now. */
  readonly replayed: boolean;
}

/** Sets a user's available money aside, for a purpose that will capture or release it. */
export interface HoldOrder {
  readonly reference: string;
  readonly userId: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly purpose: string;
  /** When it is released by itself, if ever. */
  readonly expiresAt: Date | null;
  readonly metadata?: LedgerMetadata;
}

export interface Held {
  readonly holdId: string;
  readonly replayed: boolean;
}

/** Pays held money to an account: part of it or all, at once or several times. */
export interface CaptureOrder {
  readonly holdId: string;
  readonly reference: string;
  readonly amount: bigint;
  readonly to: AccountRef;
  /** The last capture: what is left goes back to the user in the same transfer. */
  readonly final?: boolean;
}

export interface ReleaseOrder {
  readonly holdId: string;
  readonly reference: string;
}

export interface ReversalOrder {
  readonly transferId: string;
  readonly reference: string;
  readonly reason: string;
  readonly requestedBy: string | null;
}

export interface Balance {
  readonly currency: string;
  readonly available: bigint;
  readonly held: bigint;
  /** Waiting at a provider: not booked yet. */
  readonly pending: bigint;
}

export interface LockedBalance {
  readonly account: AccountRef;
  readonly balance: bigint;
}
