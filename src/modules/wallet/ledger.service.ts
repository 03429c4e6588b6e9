import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { hashOf, preparePosting, requirePositive } from './domain/posting.js';
import { LedgerRepository, type LedgerOutcome } from './ledger.repository.js';
import type {
  AccountKind,
  AccountRef,
  Balance,
  CaptureOrder,
  Held,
  HoldOrder,
  LockedBalance,
  Posted,
  Posting,
  ReleaseOrder,
  ReversalOrder,
} from './ledger.types.js';
import { PendingMoneyPort } from './pending-money.port.js';
import { walletErrors } from './wallet.errors.js';

/**
 * The money. What moves it joins the caller's transaction and is done once for each reference, however often it is asked:
 * the same again is answered with the first transfer, another content is LEDGER_REFERENCE_REUSED. A refusal has changed
 * nothing and leaves the transaction as it was.
 */
@Injectable()
export class LedgerService {
  constructor(
    private readonly repository: LedgerRepository,
    private readonly pending: PendingMoneyPort,
  ) {}

  /**
   * Posts one transfer. Throws INSUFFICIENT_FUNDS when an account that may not go below zero would, and RangeError for
   * legs that do not balance, or two legs of one account.
   */
  async post(manager: EntityManager, posting: Posting): Promise<Posted> {
    const [answer] = await this.postAll(manager, [posting]);
    if (!answer) throw new Error('the ledger did not answer');
    return answer;
  }

  /**
   * Posts transfers in this order in one call; all of them, or it throws the refusal of the first that is refused. Then others of
   * them are posted: whoever catches that must not commit.
   */
  async postAll(manager: EntityManager, postings: readonly Posting[]): Promise<Posted[]> {
    return (await this.repository.post(manager, postings.map(preparePosting))).map(posted);
  }

  /** Sets available money aside. Throws INSUFFICIENT_FUNDS, and RangeError for an amount that is not positive. */
  async hold(manager: EntityManager, hold: HoldOrder): Promise<Held> {
    requirePositive(hold.amount);
    const hash = hashOf('hold', hold.userId, hold.amount, hold.currency, hold.purpose);
    const outcome = await this.repository.hold(manager, hold, hash);
    const { replayed } = posted(outcome);
    return { holdId: outcome.hold_id as string, replayed };
  }

  /**
   * Pays from a hold, which may be done several times until nothing is left. Throws HOLD_NOT_FOUND, HOLD_NOT_OPEN (also
   * from the moment on at which it expires) and HOLD_TOO_SMALL; RangeError as `hold` does.
   */
  async capture(manager: EntityManager, capture: CaptureOrder): Promise<Posted> {
    const { holdId, amount, to, final = false } = capture;
    requirePositive(amount);
    const hash = hashOf('capture', holdId, amount, to.kind, to.owner, to.currency, final);
    return posted(await this.repository.capture(manager, capture, hash));
  }

  /** Gives back what is left of a hold. Throws HOLD_NOT_FOUND and HOLD_NOT_OPEN. */
  async release(manager: EntityManager, release: ReleaseOrder): Promise<Posted> {
    return posted(await this.repository.release(manager, release));
  }

  /**
   * Posts the opposite of a transfer, once. What had been captured from a hold comes back as available money. Throws
   * TRANSFER_NOT_FOUND, ALREADY_REVERSED, TRANSFER_NOT_REVERSIBLE for holds and releases, and INSUFFICIENT_FUNDS when who
   * was paid has spent it.
   */
  async reverse(manager: EntityManager, reversal: ReversalOrder): Promise<Posted> {
    const hash = hashOf('reversal', reversal.transferId);
    return posted(await this.repository.reverse(manager, reversal, hash));
  }

  /**
   * What accounts of one kind have, in every currency that they ever had, held still until the transaction ends. For kinds
   * that are not striped.
   */
  async lockBalances(
    manager: EntityManager,
    kind: AccountKind,
    owners: readonly string[],
  ): Promise<LockedBalance[]> {
    const rows = await this.repository.lockBalances(manager, kind, owners);
    return rows.map(({ owner, currency, balance }) => ({
      account: { kind, owner, currency },
      balance: BigInt(balance),
    }));
  }

  /** By currency; only those that the user has had money in, or waits for some. */
  async balancesOf(userId: string): Promise<Balance[]> {
    const [booked, pending] = await Promise.all([
      this.repository.balancesOf(userId),
      this.pending.of(userId),
    ]);
    const currencies = new Set([...booked.map(({ currency }) => currency), ...pending.keys()]);
    return [...currencies].toSorted().map((currency) => {
      const row = booked.find((each) => each.currency === currency);
      return {
        currency,
        available: BigInt(row?.available ?? 0),
        held: BigInt(row?.held ?? 0),
        pending: pending.get(currency) ?? 0n,
      };
    });
  }

  /** Now, or as it was booked by `at`. Zero for an account on which nothing ever moved. */
  async balanceOf(account: AccountRef, at?: Date): Promise<bigint> {
    return BigInt(
      at === undefined
        ? await this.repository.balanceOf(account)
        : await this.repository.balanceAt(account, at),
    );
  }
}

function posted({ refusal, details, transfer_id: transferId, replayed }: LedgerOutcome): Posted {
  if (refusal === null && transferId !== null) return { transferId, replayed };
  const error = walletErrors[refusal as keyof typeof walletErrors];
  if (error === undefined) throw new Error(`the ledger answered ${refusal}`);
  throw error(details ?? {});
}
