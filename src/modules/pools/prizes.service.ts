import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import type { PrizeRules } from '../../platform/config/rules.js';
import { splitMoney } from '../../platform/money/money.js';
import { UsersService } from '../users/users.service.js';
import { computePrizes } from './domain/prizes.js';
import type { PoolParam, PrizeDto } from './dto/weeks.dto.js';
import { MembersRepository } from './members.repository.js';
import { poolsErrors } from './pools.errors.js';
import { type AwardRow, type PotRow, PrizesRepository, type StandingRow } from './prizes.repository.js';
import { readWeekId, WeeksService } from './weeks.service.js';

/** What the places of a week's pools win. Each pool's sum is its pot, to the last minor unit. */
@Injectable()
export class PrizesService {
  constructor(
    private readonly weeks: WeeksService,
    private readonly repository: PrizesRepository,
    private readonly members: MembersRepository,
    private readonly users: UsersService,
    private readonly clock: Clock,
  ) {}

  /** Takes the final tables and awards the prizes; after a correction again, as long as none was paid. */
  async award(manager: EntityManager, weekId: number): Promise<void> {
    await this.repository.snapshotTables(manager, weekId);
    if (await this.repository.hasPaid(manager, weekId)) return;
    const { currency, potPerPool, split, minStaked } = await this.rulesOf(manager, weekId);
    const standings = await this.repository.standings(manager, weekId);
    const byPool = [...Map.groupBy(standings, (row) => row.pool_id)];
    const poolIds = byPool.map(([poolId]) => poolId);
    const carried = await this.carryInto(manager, weekId, poolIds, currency);
    const pots: PotRow[] = [];
    const awards: AwardRow[] = [];
    for (const [poolId, rows] of byPool) {
      const carriedIn = carried.get(poolId) ?? 0n;
      const pot = BigInt(potPerPool) + carriedIn;
      const prizes = computePrizes({ pot, split, minStaked: BigInt(minStaked), members: rows.map(toMember) });
      pots.push({ poolId, amount: pot, carriedIn, carriedOut: prizes.carryOver });
      awards.push(...prizes.awards.map(({ userId, places, amount }) => ({ poolId, userId, places, amount })));
    }
    await this.repository.replace(manager, { id: weekId, currency, now: this.clock.now() }, pots, awards);
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

  /** Carried over once: a week that is settled again keeps what it took when it was settled first. */
  private async carryInto(
    manager: EntityManager,
    weekId: number,
    poolIds: string[],
    currency: string,
  ): Promise<Map<string, bigint>> {
    const taken = await this.repository.carriedInto(manager, weekId);
    if (taken.size > 0 || poolIds.length === 0) return taken;
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

function toMember(row: StandingRow) {
  return {
    userId: row.user_id,
    credits: BigInt(row.credits),
    staked: BigInt(row.staked),
    drawPosition: row.draw_position,
  };
}
