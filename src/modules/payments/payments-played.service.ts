import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import {
  type DayBounds,
  type HarmFacts,
  HarmFactsPort,
  type SomeFacts,
  type Watched,
} from '../compliance/markers/harm-facts.port.js';
import { SessionPlayPort } from '../compliance/reality-checks/session-play.port.js';
import { PaymentsPlayedRepository } from './payments-played.repository.js';

/** Tells those who look after people what was paid. */
@Injectable()
export class PaymentsPlayedService implements HarmFacts, OnModuleInit {
  constructor(
    private readonly repository: PaymentsPlayedRepository,
    private readonly sessionPlay: SessionPlayPort,
    private readonly harm: HarmFactsPort,
  ) {}

  onModuleInit(): void {
    this.harm.register(this);
    this.sessionPlay.registerMoney(async (userId, since) => {
      const rows = await this.repository.since(userId, since);
      return rows.map(({ currency, staked, paid_in: paidIn }) => ({
        currency,
        staked: BigInt(staked),
        paidIn: BigInt(paidIn),
      }));
    });
  }

  async activeOn(
    manager: EntityManager,
    day: DayBounds,
    after: string | null,
    limit: number,
  ): Promise<string[]> {
    return await this.repository.payersOn(manager, day, { after, limit });
  }

  async factsOf(
    manager: EntityManager,
    day: DayBounds,
    people: readonly Watched[],
  ): Promise<Map<string, SomeFacts>> {
    const ids = people.map(({ userId }) => userId);
    const rows = await this.repository.dayOf(manager, ids, day);
    return new Map(
      rows.map(
        ({ user_id: userId, payments, declined, paid_in_while_withdrawing: paidInWhileWithdrawing }) => [
          userId,
          { payments, declined, paidInWhileWithdrawing },
        ],
      ),
    );
  }
}
