import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** How many bets are on a market: singles and legs of parlays, not those that were taken back. */
export type MarketBetsCount = (manager: EntityManager, marketId: string) => Promise<number>;

/** What sports asks of the module that holds the bets, before a market is voided. Filled at boot. */
@Injectable()
export class MarketBetsPort {
  private count: MarketBetsCount | null = null;

  register(count: MarketBetsCount): void {
    this.count = count;
  }

  async countBets(manager: EntityManager, marketId: string): Promise<number> {
    if (this.count === null) throw new Error('nobody has registered to count the bets of a market');
    return await this.count(manager, marketId);
  }
}
