import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { afterCommit } from '../../platform/database/after-commit.js';
import { WeekOpenedPort } from '../pools/week-opened.port.js';
import { MarketBetsPort } from '../sports/market-bets.port.js';
import { BetPages } from './bet-pages.js';
import { BetsRepository } from './bets.repository.js';

/** What settlement asks of bets, always inside its own transaction. */
@Injectable()
export class BetsGradingService implements OnModuleInit {
  constructor(
    private readonly repository: BetsRepository,
    private readonly pages: BetPages,
    private readonly weekOpened: WeekOpenedPort,
    private readonly marketBets: MarketBetsPort,
  ) {}

  /** A new week needs its partitions; who voids markets asks how many bets are on them. */
  onModuleInit(): void {
    this.weekOpened.register((manager, weekId) => this.repository.openWeek(manager, weekId));
    this.marketBets.register((manager, marketIds) => this.repository.countOnMarkets(manager, marketIds));
  }

  /** Bets change with this transaction: what is shown of them is asked anew after it. */
  graded(manager: EntityManager): void {
    afterCommit(manager, 'bets.graded', () => void this.pages.graded());
  }

  async countByPool(manager: EntityManager, weekId: number, marketIds: string[]) {
    return await this.repository.countByPool(manager, weekId, marketIds);
  }

  /** Those of the candidates in which these markets have bets. */
  async weeksOf(
    manager: EntityManager,
    marketIds: string[],
    candidates: readonly number[],
  ): Promise<number[]> {
    return await this.repository.weeksOf(manager, marketIds, candidates);
  }

  async countOpen(manager: EntityManager, weekId: number): Promise<number> {
    return await this.repository.countOpen(manager, weekId);
  }
}
