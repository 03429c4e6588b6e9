import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { barredError } from '../compliance/compliance.errors.js';
import { canBuyBack } from './domain/buy-back.js';
import { buyBackUntil, formatWeekId } from './domain/calendar.js';
import { MembersRepository } from './members.repository.js';
import { poolsErrors } from './pools.errors.js';

interface Buyer {
  readonly userId: string;
  readonly weekId: number;
  readonly poolId: string;
}

/** Coming back with nothing left to play with: whether it may be, and the credits. */
@Injectable()
export class BuyBacksService {
  constructor(
    private readonly repository: MembersRepository,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * The locked member, who may buy back now. Throws NOT_A_MEMBER, WEEK_STATE_CONFLICT, what bars the user from playing, and
   * the rule's own refusals (BUY_BACK_…).
   */
  async enter(manager: EntityManager, userId: string, weekId: number): Promise<Buyer> {
    const member = await this.repository.lockMember(manager, userId, weekId);
    if (!member) throw poolsErrors.NOT_A_MEMBER({ week: formatWeekId(weekId) });
    const { status, refusal: barred } = await this.gates(manager, userId, weekId);
    if (status !== 'grouped') throw poolsErrors.WEEK_STATE_CONFLICT({ status });
    if (barred !== null) throw barredError(barred);
    const now = this.clock.now(); // inside the gates
    const refusal = canBuyBack({
      balance: BigInt(member.balance),
      openBets: member.bets_open,
      now,
      until: buyBackUntil(weekId, this.rules.pools.zone),
      alreadyBought: await this.repository.hasBoughtBack(manager, userId, member.pool_id),
    });
    if (refusal) throw poolsErrors[refusal]({ balance: Number(member.balance), openBets: member.bets_open });
    return { userId, weekId, poolId: member.pool_id };
  }

  /** Adds the credits; how many there are then. */
  async credit(manager: EntityManager, buyer: Buyer, reference: string): Promise<number> {
    return await this.repository.adjust(manager, {
      ...buyer,
      id: newId(),
      amount: this.rules.pools.buyBackCredits,
      reference,
      now: this.clock.now(),
    });
  }

  /** What was asked for in time and is paid now is credited, whatever the member has by now, as long as the week is played. */
  async creditPaid(
    manager: EntityManager,
    userId: string,
    weekId: number,
    reference: string,
  ): Promise<{ poolId: string } | { refused: string }> {
    const member = await this.repository.lockMember(manager, userId, weekId);
    if (!member) return { refused: poolsErrors.NOT_A_MEMBER.code };
    const { status, refusal } = await this.gates(manager, userId, weekId);
    if (status !== 'grouped') return { refused: poolsErrors.WEEK_STATE_CONFLICT.code };
    if (refusal !== null) return { refused: refusal };
    if (await this.repository.hasBoughtBack(manager, userId, member.pool_id))
      return { refused: poolsErrors.BUY_BACK_ALREADY_USED.code };
    await this.credit(manager, { userId, weekId, poolId: member.pool_id }, reference);
    return { poolId: member.pool_id };
  }

  private async gates(manager: EntityManager, userId: string, weekId: number) {
    return await this.repository.enterGates(manager, {
      userId,
      weekId,
      minimumAge: this.rules.auth.minimumAge,
    });
  }
}
