import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { PrizeRules } from '../../platform/config/rules.js';
import { LedgerService } from '../wallet/ledger.service.js';
import type { AccountRef, Leg } from '../wallet/ledger.types.js';
import { partOfWeek, splitFees, type WeekSpan } from './domain/entry-fees.js';
import { FeesRepository } from './fees.repository.js';

/** Where the money of a week's passes and buy-backs waits for the draw and the week's end. */
export function feesOfWeek(weekId: number, currency: string): AccountRef {
  return { kind: 'escrow', owner: `entry_fees:${weekId}`, currency };
}

/** Where the money of subscriptions waits whose payments are for the same weeks: each takes its part. */
export function feesOfSpan({ first, last }: WeekSpan, currency: string): AccountRef {
  return { kind: 'escrow', owner: `entry_fees:${first}-${last}`, currency };
}

export function potOf(poolId: string, currency: string): AccountRef {
  return { kind: 'pot', owner: poolId, currency };
}

interface Pool {
  readonly id: string;
  readonly size: number;
}

interface Fees {
  readonly legs: Leg[];
  readonly sums: Map<string, bigint>;
}

/**
 * What was paid for a week goes into its pots and to the house: at the draw what was paid to play, at the week's end what was
 * paid to buy back. It takes what is there, never what should be, so that no refund can hold up a week.
 */
@Injectable()
export class EntryFeesService {
  constructor(
    private readonly repository: FeesRepository,
    private readonly ledger: LedgerService,
  ) {}

  /** In the transaction that draws the week: by the pools' members. Nobody drawn: the money waits for its refunds. */
  async shareOut(
    manager: EntityManager,
    weekId: number,
    pools: readonly Pool[],
    rules: PrizeRules,
  ): Promise<void> {
    if (pools.length === 0) return;
    const fees = await this.feesOfDraw(manager, weekId);
    const weights = pools.map(({ size }) => BigInt(size));
    const shares = new Map<string, bigint>();
    const legs = [...fees.legs];
    for (const [currency, sum] of fees.sums) {
      const { pots, house } = splitFees(sum, shareIn(rules, currency), weights);
      pools.forEach(({ id }, index) => {
        const amount = pots[index] ?? 0n;
        if (amount > 0n) shares.set(id, amount);
        legs.push({ account: potOf(id, currency), amount });
      });
      legs.push({ account: { kind: 'fees', owner: 'house', currency }, amount: house });
    }
    await this.post(manager, `entry_fees:${weekId}`, weekId, legs);
    await this.repository.noteShares(manager, shares);
  }

  /**
   * Legs that take what was paid to buy back in a week that is over, and give the house its part; of each pool, what
   * remains for its pot.
   */
  async buyBacks(
    manager: EntityManager,
    weekId: number,
    rules: PrizeRules,
  ): Promise<{ legs: Leg[]; pots: Map<string, bigint> }> {
    const fees = await this.feesOfWeeks(manager, [weekId]);
    const legs = [...fees.legs];
    const pots = new Map<string, bigint>();
    for (const [currency, sum] of fees.sums) {
      const paid = [...(await this.repository.boughtBack(manager, weekId, currency))];
      const split = splitFees(
        sum,
        shareIn(rules, currency),
        paid.map(([, amount]) => amount),
      );
      paid.forEach(([poolId], index) =>
        pots.set(poolId, (pots.get(poolId) ?? 0n) + (split.pots[index] ?? 0n)),
      );
      legs.push({ account: { kind: 'fees', owner: 'house', currency }, amount: split.house });
    }
    return { legs, pots };
  }

  /** Posts the legs that move something, if any does. */
  async post(manager: EntityManager, reference: string, weekId: number, legs: readonly Leg[]): Promise<void> {
    const moving = legs.filter(({ amount }) => amount !== 0n);
    if (moving.length > 0)
      await this.ledger.post(manager, { reference, type: 'entry_fees', legs: moving, metadata: { weekId } });
  }

  /** The week's own, those of weeks whose passes came over, and its part of each span of subscriptions. */
  private async feesOfDraw(manager: EntityManager, weekId: number): Promise<Fees> {
    const weekIds = await this.repository.weeksCountingFor(manager, weekId);
    const { legs, sums } = await this.feesOfWeeks(manager, weekIds);
    const funds = await this.repository.subscriptionFunds(manager, weekId, Math.min(...weekIds));
    const spans = new Map(
      funds.map(({ week_id: first, last_week_id: last }) => [
        feesOfSpan({ first, last }, '').owner,
        { first, last },
      ]),
    );
    for (const { account, balance } of await this.ledger.lockBalances(manager, 'escrow', [...spans.keys()])) {
      const span = spans.get(account.owner);
      if (span) take({ legs, sums }, account, partOfWeek(balance, weekId, span));
    }
    return { legs, sums };
  }

  private async feesOfWeeks(manager: EntityManager, weekIds: readonly number[]): Promise<Fees> {
    const owners = weekIds.map((id) => feesOfWeek(id, '').owner);
    const balances = await this.ledger.lockBalances(manager, 'escrow', owners);
    const unused = await this.repository.unused(manager, weekIds);
    const fees: Fees = { legs: [], sums: new Map() };
    for (const { account, balance } of balances)
      take(fees, account, balance - (unused.get(`${account.owner} ${account.currency}`) ?? 0n));
    return fees;
  }
}

function take({ legs, sums }: Fees, account: AccountRef, amount: bigint): void {
  if (amount <= 0n) return;
  legs.push({ account, amount: -amount });
  sums.set(account.currency, (sums.get(account.currency) ?? 0n) + amount);
}

/** A pot is of one currency; what was paid in another is never exchanged, and is the house's. */
function shareIn({ source, currency: pots, share }: PrizeRules, currency: string): number {
  return source === 'entryFees' && currency === pots ? share : 0;
}
