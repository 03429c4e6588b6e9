import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { PrizeRules } from '../../platform/config/rules.js';
import { splitMoney } from '../../platform/money/money.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { UsersService } from '../users/users.service.js';
import { DecidedStakesService } from './decided-stakes.service.js';
import { computePrizes } from './domain/prizes.js';
import type { PoolParam, PrizeDto } from './dto/weeks.dto.js';
import { MembersRepository } from './members.repository.js';
import { poolsErrors } from './pools.errors.js';
import { type PotPrizes, PrizePaymentsService } from './prize-payments.service.js';
import { PrizesRepository, type StandingRow } from './prizes.repository.js';
import { readWeekId, WeeksService } from './weeks.service.js';

/** What the places of a week's pools win. Each pool's sum is its pot, to the last minor unit. */
@Injectable()
export class PrizesService {
  constructor(
    private readonly weeks: WeeksService,
    private readonly repository: PrizesRepository,
    private readonly payments: PrizePaymentsService,
    private readonly stakes: DecidedStakesService,
    private readonly members: MembersRepository,
    private readonly users: UsersService,
    private readonly audit: AuditService,
  ) {}

  /**
   * Takes the final tables and pays the prizes into the wallets, once. Tables that change afterwards change no prize by
   * themselves: `actorId`, an admin, has them corrected. Throws PRIZE_SPENT when what was paid is not there to be taken back.
   */
  async award(manager: EntityManager, weekId: number, actorId: string | null): Promise<void> {
    await this.repository.snapshotTables(manager, weekId);
    const rules = await this.rulesOf(manager, weekId);
    const standings = await this.repository.standings(manager, weekId);
    const byPool = Map.groupBy(standings, (row) => row.pool_id);
    const paid = await this.repository.paidPots(manager, weekId);
    if (paid.length === 0) {
      await this.stakes.decide(manager, weekId);
      const carried = await this.carryInto(manager, weekId, [...byPool.keys()], rules.currency);
      const pots = await this.payments.fill(manager, weekId, carried, rules);
      await this.payments.pay(manager, weekId, rules.currency, prizesOf(pots, byPool, rules));
      return;
    }
    const prizes = prizesOf(new Map(paid.map((pot) => [pot.poolId, pot])), byPool, rules);
    const changes = await this.payments.changesOf(manager, weekId, paid, prizes);
    if (actorId !== null) await this.payments.correct(manager, weekId, rules.currency, changes, actorId);
    if (changes.size > 0)
      await this.audit.record(manager, {
        actorId,
        action: actorId === null ? 'week.prizes_stand' : 'week.prizes_corrected',
        subjectType: 'week',
        subjectId: String(weekId),
        details: { taken: changes.taken.length, given: changes.given.length },
      });
  }

  /** The rules by which the week was drawn: what the configuration says now is for the weeks to come. */
  private async rulesOf(manager: EntityManager, weekId: number): Promise<PrizeRules> {
    const { prizeRules } = await this.weeks.getLocked(manager, weekId);
    if (!prizeRules) throw new Error(`week ${weekId} was never drawn`);
    return prizeRules;
  }

  /** Whether a settled week's members have other credits now than its tables say. */
  async areOutdated(manager: EntityManager, weekId: number): Promise<boolean> {
    return await this.repository.differsFromSnapshot(manager, weekId);
  }

  /** What earlier weeks could give nobody, in equal parts. */
  private async carryInto(
    manager: EntityManager,
    weekId: number,
    poolIds: string[],
    currency: string,
  ): Promise<Map<string, bigint>> {
    if (poolIds.length === 0) return new Map();
    const unclaimed = await this.repository.unclaimed(manager, weekId, currency);
    const shares = splitMoney(
      unclaimed,
      poolIds.map(() => 1n),
    );
    return new Map(poolIds.map((poolId, index) => [poolId, shares[index] ?? 0n]));
  }

  async ofPool({ id, poolId }: PoolParam): Promise<PrizeDto[]> {
    const weekId = id === 'current' ? this.weeks.currentId() : readWeekId(id);
    if (!(await this.members.findPool(poolId, weekId))) throw poolsErrors.POOL_NOT_FOUND({ poolId });
    const rows = await this.repository.ofPool(poolId);
    const handles = await this.users.handlesOf(rows.map((row) => row.user_id));
    return rows.map((row) => ({
      userId: row.user_id,
      handle: handles.get(row.user_id) ?? '',
      places: row.places,
      amount: Number(row.amount),
      currency: row.currency,
    }));
  }
}

function prizesOf(
  pots: ReadonlyMap<string, { readonly amount: bigint; readonly carriedIn: bigint }>,
  standings: ReadonlyMap<string, readonly StandingRow[]>,
  { split, minStaked }: PrizeRules,
): PotPrizes[] {
  return [...pots].map(([poolId, { amount, carriedIn }]) => {
    const members = (standings.get(poolId) ?? []).map(toMember);
    return {
      poolId,
      amount,
      carriedIn,
      ...computePrizes({ pot: amount, split, minStaked: BigInt(minStaked), members }),
    };
  });
}

function toMember(row: StandingRow) {
  return {
    userId: row.user_id,
    credits: BigInt(row.credits),
    staked: BigInt(row.staked),
    drawPosition: row.draw_position,
  };
}
