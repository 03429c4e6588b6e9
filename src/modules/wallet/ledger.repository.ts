import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { ErrorDetails } from '../../platform/http/domain-error.js';
import type { Leg, PreparedPosting } from './domain/posting.js';
import type {
  AccountKind,
  AccountRef,
  CaptureOrder,
  HoldOrder,
  ReleaseOrder,
  ReversalOrder,
} from './ledger.types.js';

/** What a function of the ledger answers: what was done, or the code of its refusal with details. */
export interface LedgerOutcome {
  refusal: string | null;
  details: ErrorDetails | null;
  transfer_id: string | null;
  replayed: boolean;
}

export interface HoldOutcome extends LedgerOutcome {
  hold_id: string | null;
}

/** Its place among those whose time is up; the time is the database's own text, to the microsecond. */
export interface DueHold {
  readonly due_at: string;
  readonly hold_id: string;
}

/** A hold that was to expire, and what kept it if it did not. */
export interface LookedAtHold extends DueHold {
  readonly problem: string | null;
}

const POST_PAIR = 'SELECT ledger_post_pair($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS transfer_id';
const POST = 'SELECT * FROM ledger_post($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)';

/** All functions are in the migrations `…-ledger-functions`, `…-ledger-upkeep`, `…-ledger-speed` and `…-ledger-groups`. */
@Injectable()
export class LedgerRepository {
  constructor(private readonly database: Database) {}

  /**
   * Answers in the order of the postings. One between two accounts, which most are, is one round trip of the shortest kind; what
   * stands in its way (a new account, too little money, a reference that was used) is told by the function that knows all cases.
   */
  async post(manager: EntityManager, postings: readonly PreparedPosting[]): Promise<LedgerOutcome[]> {
    const [pair] = postings.length === 1 ? postings.filter(({ legs }) => legs.length === 2) : [];
    if (pair) {
      const { transfer_id: transferId } = one(
        await manager.query<{ transfer_id: string | null }[]>(POST_PAIR, pairParameters(pair)),
      );
      if (transferId !== null)
        return [{ refusal: null, details: null, transfer_id: transferId, replayed: false }];
    }
    return await manager.query<LedgerOutcome[]>(POST, postParameters(postings));
  }

  async hold(manager: EntityManager, hold: HoldOrder, hash: Buffer): Promise<HoldOutcome> {
    return one(
      await manager.query<HoldOutcome[]>('SELECT * FROM ledger_hold($1, $2, $3, $4, $5, $6, $7, $8)', [
        hold.reference,
        hash,
        hold.userId,
        hold.amount,
        hold.currency,
        hold.purpose,
        hold.expiresAt,
        hold.metadata ?? {},
      ]),
    );
  }

  async capture(manager: EntityManager, capture: CaptureOrder, hash: Buffer): Promise<LedgerOutcome> {
    const { holdId, reference, amount, to, final = false } = capture;
    return one(
      await manager.query<LedgerOutcome[]>('SELECT * FROM ledger_capture($1, $2, $3, $4, $5, $6, $7, $8)', [
        holdId,
        reference,
        hash,
        amount,
        to.kind,
        to.owner,
        to.currency,
        final,
      ]),
    );
  }

  async release(manager: EntityManager, release: ReleaseOrder): Promise<LedgerOutcome> {
    return one(
      await manager.query<LedgerOutcome[]>('SELECT * FROM ledger_release($1, $2)', [
        release.holdId,
        release.reference,
      ]),
    );
  }

  async reverse(manager: EntityManager, reversal: ReversalOrder, hash: Buffer): Promise<LedgerOutcome> {
    return one(
      await manager.query<LedgerOutcome[]>('SELECT * FROM ledger_reverse($1, $2, $3, $4, $5)', [
        reversal.transferId,
        reversal.reference,
        hash,
        reversal.reason,
        reversal.requestedBy,
      ]),
    );
  }

  /**
   * Releases holds whose time is up, of at most `limit` after this one, and tells which it looked at. What others have in hand
   * is left. Index: ix_ledger_holds_due.
   */
  async expire(limit: number, after: DueHold): Promise<LookedAtHold[]> {
    return await this.database.query<LookedAtHold>(
      'ledger.expire',
      'SELECT hold_id, due_at::text, problem FROM ledger_expire($1, $2, $3)',
      [limit, after.due_at, after.hold_id],
    );
  }

  /** Opens the entries' partitions of this month and `ahead` more; how many were missing. */
  async openMonths(ahead: number): Promise<number> {
    const [row] = await this.database.query<{ made: number }>(
      'ledger.open_months',
      'SELECT ledger_open_months($1) AS made',
      [ahead],
    );
    return row?.made ?? 0;
  }

  /** What the user's accounts hold, one row a currency. Index: ux_ledger_accounts. */
  async balancesOf(userId: string): Promise<{ currency: string; available: string; held: string }[]> {
    return await this.database.query(
      'ledger.balances_of',
      `SELECT currency, coalesce(sum(balance) FILTER (WHERE kind = 'user_available'), 0)::bigint AS available,
              coalesce(sum(balance) FILTER (WHERE kind = 'user_held'), 0)::bigint AS held
       FROM ledger_accounts WHERE kind IN ('user_available', 'user_held') AND owner = $1
       GROUP BY currency ORDER BY currency`,
      [userId],
    );
  }

  /** In the order in which `ledger_post` locks them. Index: ux_ledger_accounts. */
  async lockBalances(
    manager: EntityManager,
    kind: AccountKind,
    owners: readonly string[],
  ): Promise<{ owner: string; currency: string; balance: string }[]> {
    return await manager.query(
      `SELECT owner, currency, balance FROM ledger_accounts WHERE kind = $1 AND owner = ANY ($2)
       ORDER BY kind, owner, currency FOR NO KEY UPDATE`,
      [kind, owners],
    );
  }

  /** Over all stripes. Index: ux_ledger_accounts. */
  async balanceOf(account: AccountRef): Promise<string> {
    const [row] = await this.database.query<{ balance: string }>(
      'ledger.balance_of',
      `SELECT coalesce(sum(balance), 0)::bigint AS balance FROM ledger_accounts
       WHERE kind = $1 AND owner = $2 AND currency = $3`,
      [account.kind, account.owner, account.currency],
    );
    return row?.balance ?? '0';
  }

  /** After the last entry booked by then, of each stripe. Index: ix_ledger_entries_account. */
  async balanceAt(account: AccountRef, at: Date): Promise<string> {
    const [row] = await this.database.query<{ balance: string }>(
      'ledger.balance_at',
      `SELECT coalesce(sum(e.balance_after), 0)::bigint AS balance FROM ledger_accounts a
       CROSS JOIN LATERAL (
         SELECT balance_after FROM ledger_entries WHERE account_id = a.id AND created_at <= $4
         ORDER BY created_at DESC, id DESC LIMIT 1) e
       WHERE a.kind = $1 AND a.owner = $2 AND a.currency = $3`,
      [account.kind, account.owner, account.currency, at],
    );
    return row?.balance ?? '0';
  }
}

/** Its legs are in order, and of one currency: what the second gets is taken from the first. */
function pairParameters(posting: PreparedPosting): unknown[] {
  const [from, to] = posting.legs as [Leg, Leg];
  return [
    posting.reference,
    posting.hash,
    posting.type,
    from.account.kind,
    from.account.owner,
    to.account.kind,
    to.account.owner,
    to.account.currency,
    to.amount,
    posting.effectiveAt ?? null,
    JSON.stringify(posting.metadata ?? {}),
    posting.requestedBy ?? null,
  ];
}

/** One array a column, and the legs of all postings one after the other. */
function postParameters(postings: readonly PreparedPosting[]): unknown[] {
  const legs = postings.flatMap((posting, index) => posting.legs.map((leg) => ({ of: index + 1, ...leg })));
  return [
    postings.map(({ reference }) => reference),
    postings.map(({ hash }) => hash),
    postings.map(({ type }) => type),
    postings.map(({ effectiveAt }) => effectiveAt ?? null),
    postings.map(({ metadata }) => JSON.stringify(metadata ?? {})),
    postings.map(({ requestedBy }) => requestedBy ?? null),
    legs.map(({ of }) => of),
    legs.map(({ account }) => account.kind),
    legs.map(({ account }) => account.owner),
    legs.map(({ account }) => account.currency),
    legs.map(({ amount }) => amount),
  ];
}

function one<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error('the ledger did not answer');
  return row;
}
