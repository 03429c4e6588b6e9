import { createHash } from 'node:crypto';

/** What an account holds, and by that whether it may go below zero and over how many rows it is spread. */
export type AccountKind =
  | 'user_available'
  | 'user_held'
  | 'escrow'
  | 'pot'
  | 'carried_pot'
  | 'fees'
  | 'clearing'
  | 'promotions'
  | 'disputes';

/** An account is made when money first moves on it. */
export interface AccountRef {
  readonly kind: AccountKind;
  /** A user's id, a match's, a code's or a pool's, `entry_fees:<week>`, a provider's name, or `house`. */
  readonly owner: string;
  /** ISO 4217. */
  readonly currency: string;
}

/** Minor units that are added to an account's balance; negative ones are taken from it. */
export interface Leg {
  readonly account: AccountRef;
  readonly amount: bigint;
}

/** One transfer: its legs sum to zero in each currency. */
export interface Posting {
  /** Unique for ever: posted again with the same content it is answered with the first transfer. */
  readonly reference: string;
  readonly type: string;
  readonly legs: readonly Leg[];
  /** When it counts, if that is not now. */
  readonly effectiveAt?: Date;
  /** Ids and figures, nothing personal. */
  readonly metadata?: LedgerMetadata;
  readonly requestedBy?: string | null;
}

export type LedgerMetadata = Readonly<Record<string, string | number>>;

/** A posting that has been checked, its legs in the order in which accounts are locked, with the hash of what it moves. */
export interface PreparedPosting extends Posting {
  readonly hash: Buffer;
}

/** Postgres's bigint ends here. */
const LARGEST = 2n ** 63n - 1n;

/**
 * Checks what no balance can mend, and hashes. Throws RangeError: a posting that is not one is a mistake of the code that
 * made it, not of a user.
 */
export function preparePosting(posting: Posting): PreparedPosting {
  const problem = problemOf(posting);
  if (problem !== null) throw new RangeError(`posting ${posting.reference}: ${problem}`);
  return { ...posting, legs: posting.legs.toSorted(byAccount), hash: postingHash(posting) };
}

function problemOf({ legs }: Posting): string | null {
  if (legs.length < 2) return 'a transfer has two legs at least';
  const accounts = new Set(legs.map(keyOf));
  if (accounts.size < legs.length) return 'an account has one leg of a transfer';
  const sums = new Map<string, bigint>();
  for (const { account, amount } of legs) {
    if (account.kind === 'user_held') return 'held money is moved by its holds only';
    if (amount === 0n) return 'a leg moves something';
    if (amount > LARGEST || amount < -LARGEST) return `${amount} is too large`;
    sums.set(account.currency, (sums.get(account.currency) ?? 0n) + amount);
  }
  for (const [currency, sum] of sums) if (sum !== 0n) return `${currency} sums to ${sum}, not to zero`;
  return null;
}

/** Throws RangeError for an amount that a hold cannot be of, or that cannot be captured. */
export function requirePositive(amount: bigint): void {
  if (amount <= 0n || amount > LARGEST) throw new RangeError(`${amount} cannot be held or captured`);
}

/**
 * Of the type, the accounts and the amounts in any order. When it counts, its metadata and who asked are not part of it:
 * they may be told differently by a repetition (a webhook, then the reconciliation), and move nothing.
 */
function postingHash({ type, legs }: Posting): Buffer {
  const lines = legs.map((leg) => `${keyOf(leg)} ${leg.amount}`).toSorted();
  return hashOf(type, ...lines);
}

/** SHA-256 of the parts, which are told apart. */
export function hashOf(...parts: readonly (string | number | bigint | boolean)[]): Buffer {
  return createHash('sha256')
    .update(JSON.stringify(parts.map(String)))
    .digest();
}

/** Bytewise, as the database compares: by kind, owner, currency. */
function byAccount({ account: a }: Leg, { account: b }: Leg): number {
  return compare(a.kind, b.kind) || compare(a.owner, b.owner) || compare(a.currency, b.currency);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function keyOf({ account: { kind, owner, currency } }: Leg): string {
  return `${kind} ${owner} ${currency}`;
}
