import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import type { PrizeRules } from '../../platform/config/rules.js';
import { DomainError } from '../../platform/http/domain-error.js';
import { LimitsService } from '../compliance/limits/limits.service.js';
import { LedgerService } from '../wallet/ledger.service.js';
import type { AccountRef, Leg, Posting } from '../wallet/ledger.types.js';
import { walletErrors } from '../wallet/wallet.errors.js';
import type { Prizes } from './domain/prizes.js';
import { EntryFeesService, potOf } from './entry-fees.service.js';
import { FeesRepository } from './fees.repository.js';
import { poolsErrors } from './pools.errors.js';
import { type AwardRow, type PotRow, PrizesRepository } from './prizes.repository.js';

/** What a pool's pot holds, and who is to have it. */
export interface PotPrizes extends Prizes {
  readonly poolId: string;
  readonly amount: bigint;
  readonly carriedIn: bigint;
}

/** One movement out of a pot: a prize, or what nobody could be given. */
interface Share {
  readonly poolId: string;
  /** Null: to the next week. */
  readonly userId: string | null;
  readonly amount: bigint;
}

/** What a correction would take back, and give instead. */
export interface PrizeChanges {
  readonly before: readonly PotRow[];
  readonly after: readonly PotPrizes[];
  readonly taken: readonly (Share & { readonly transferId: string })[];
  readonly given: readonly Share[];
  readonly kept: readonly AwardRow[];
  readonly size: number;
}

/** So many transfers are one call. */
const BATCH = 500;

/** The money of the prizes: into the pots, out of them to the last unit, and back where an admin corrects. The week is locked. */
@Injectable()
export class PrizePaymentsService {
  constructor(
    private readonly repository: PrizesRepository,
    private readonly feesRepository: FeesRepository,
    private readonly fees: EntryFeesService,
    private readonly ledger: LedgerService,
    private readonly limits: LimitsService,
    private readonly clock: Clock,
  ) {}

  /** Puts into the pots what they lack: what was promised, what was paid to buy back, and what was carried over. */
  async fill(
    manager: EntityManager,
    weekId: number,
    carried: ReadonlyMap<string, bigint>,
    rules: PrizeRules,
  ): Promise<Map<string, { amount: bigint; carriedIn: bigint }>> {
    const { source, currency, potPerPool } = rules;
    const shares = await this.feesRepository.sharesOf(manager, weekId);
    const boughtBack = await this.fees.buyBacks(manager, weekId, rules);
    const promised = source === 'entryFees' ? 0n : BigInt(potPerPool);
    const poolIds = [...carried.keys()];
    const into = poolIds.map((poolId): Leg => {
      const amount = promised + (boughtBack.pots.get(poolId) ?? 0n) + (carried.get(poolId) ?? 0n);
      return { account: potOf(poolId, currency), amount };
    });
    const carriedIn = [...carried.values()].reduce((sum, amount) => sum + amount, 0n);
    await this.fees.post(manager, `pots:${weekId}`, weekId, [
      ...boughtBack.legs,
      {
        account: { kind: 'promotions', owner: 'house', currency },
        amount: -promised * BigInt(poolIds.length),
      },
      { account: carriedPot(currency), amount: -carriedIn },
      ...into,
    ]);
    return new Map(
      poolIds.map((poolId, index) => [
        poolId,
        {
          amount: (shares.get(poolId) ?? 0n) + (into[index]?.amount ?? 0n),
          carriedIn: carried.get(poolId) ?? 0n,
        },
      ]),
    );
  }

  /** Empties the pots. */
  async pay(
    manager: EntityManager,
    weekId: number,
    currency: string,
    pots: readonly PotPrizes[],
  ): Promise<void> {
    await this.write(manager, weekId, currency, {
      before: [],
      after: pots,
      taken: [],
      given: pots.flatMap(sharesOf),
      kept: [],
      size: 1,
    });
  }

  /** How the prizes would be others than those that were paid. */
  async changesOf(
    manager: EntityManager,
    weekId: number,
    before: readonly PotRow[],
    after: readonly PotPrizes[],
  ): Promise<PrizeChanges> {
    const paid = await this.repository.paidPrizes(manager, weekId);
    const due = new Map(after.flatMap(sharesOf).map((share) => [keyOf(share), share]));
    const stands = (share: Share) => due.get(keyOf(share))?.amount === share.amount;
    const carries = before.flatMap(({ poolId, carriedOut: amount, carryTransferId: transferId }) =>
      transferId === null ? [] : [{ poolId, userId: null, amount, transferId }],
    );
    const all = [...paid, ...carries];
    const standing = new Set(all.filter(stands).map(keyOf));
    const taken = all.filter((share) => !standing.has(keyOf(share)));
    const given = [...due.values()].filter((share) => !standing.has(keyOf(share)));
    return { before, after, taken, given, kept: paid.filter(stands), size: taken.length + given.length };
  }

  /** Reverses what has changed and pays it anew. Throws PRIZE_SPENT. */
  async correct(
    manager: EntityManager,
    weekId: number,
    currency: string,
    changes: PrizeChanges,
    actorId: string,
  ): Promise<void> {
    if (changes.size === 0) return;
    try {
      for (const share of changes.taken) {
        const { transferId } = await this.ledger.reverse(manager, {
          transferId: share.transferId,
          reference: `${share.transferId}:corrected`,
          reason: 'the week was settled anew',
          requestedBy: actorId,
        });
        await this.won(manager, currency, [{ ...share, amount: -share.amount, transferId }]);
      }
    } catch (error) {
      if (error instanceof DomainError && error.code === walletErrors.INSUFFICIENT_FUNDS.code)
        throw poolsErrors.PRIZE_SPENT(error.details, { cause: error });
      throw error;
    }
    await this.write(manager, weekId, currency, changes);
  }

  /** Posts what is given, and writes down what there is then. */
  private async write(
    manager: EntityManager,
    weekId: number,
    currency: string,
    { before, after, given, kept }: PrizeChanges,
  ): Promise<void> {
    const known = new Map(before.map((pot) => [pot.poolId, pot]));
    const revision = Math.max(0, ...before.map((pot) => pot.revision)) + 1;
    const transfers = await this.post(manager, weekId, currency, given, revision);
    const paid = new Map(kept.map((award) => [keyOf(award), award]));
    const now = this.clock.now();
    const pots = after.map(({ poolId, amount, carriedIn, carryOver: carriedOut }): PotRow => {
      const transfer = transfers.get(keyOf({ poolId, userId: null }));
      const old = known.get(poolId);
      const stands = old?.carriedOut === carriedOut ? old.carryTransferId : null;
      return { poolId, amount, carriedIn, carriedOut, revision, carryTransferId: transfer ?? stands };
    });
    const awards = after.flatMap(({ poolId, awards: of }) =>
      of.map(({ userId, places, amount }): AwardRow => {
        const key = keyOf({ poolId, userId });
        const transferId = transfers.get(key) ?? paid.get(key)?.transferId;
        if (transferId === undefined) throw new Error(`the prize of ${userId} in ${poolId} was not paid`);
        return { poolId, userId, places, amount, transferId, createdAt: paid.get(key)?.createdAt ?? now };
      }),
    );
    await this.repository.replace(manager, { id: weekId, currency }, pots, awards);
  }

  private async post(
    manager: EntityManager,
    weekId: number,
    currency: string,
    shares: readonly Share[],
    revision: number,
  ): Promise<Map<string, string>> {
    const transfers = new Map<string, string>();
    for (let start = 0; start < shares.length; start += BATCH) {
      const batch = shares.slice(start, start + BATCH);
      const posted = await this.ledger.postAll(
        manager,
        batch.map((share) => postingOf(share, weekId, currency, revision)),
      );
      const paid = batch.map((share, index) => ({ ...share, transferId: posted[index]?.transferId ?? '' }));
      for (const share of paid) transfers.set(keyOf(share), share.transferId);
      await this.won(manager, currency, paid);
    }
    return transfers;
  }

  /** To the winners' limits of losses. */
  private async won(
    manager: EntityManager,
    currency: string,
    shares: readonly (Share & { readonly transferId: string })[],
  ): Promise<void> {
    const winnings = shares.flatMap(({ userId, amount, transferId }) =>
      userId === null ? [] : [{ userId, currency, amount, transferId }],
    );
    await this.limits.win(manager, winnings);
  }
}

function sharesOf({ poolId, awards, carryOver }: PotPrizes): Share[] {
  const prizes = awards.map(({ userId, amount }): Share => ({ poolId, userId, amount }));
  return carryOver > 0n ? [...prizes, { poolId, userId: null, amount: carryOver }] : prizes;
}

function postingOf(
  { poolId, userId, amount }: Share,
  weekId: number,
  currency: string,
  revision: number,
): Posting {
  const reference = userId === null ? `carry:${poolId}` : `prize:${poolId}:${userId}`;
  const to: AccountRef =
    userId === null ? carriedPot(currency) : { kind: 'user_available', owner: userId, currency };
  return {
    reference: revision === 1 ? reference : `${reference}:${revision}`,
    type: userId === null ? 'carry' : 'prize',
    legs: [
      { account: potOf(poolId, currency), amount: -amount },
      { account: to, amount },
    ],
    metadata: { weekId, poolId },
  };
}

function carriedPot(currency: string): AccountRef {
  return { kind: 'carried_pot', owner: 'pools', currency };
}

function keyOf({ poolId, userId }: Pick<Share, 'poolId' | 'userId'>): string {
  return `${poolId} ${userId ?? ''}`;
}
