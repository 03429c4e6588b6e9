import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** How many bets are on some markets: singles and legs of parlays, not those that were taken back. */
export type MarketBetsCount = (manager: EntityManager, marketIds: readonly string[]) => Promise<number>;

/** What sports asks of the module that holds the bets, before markets are voided. Filled at boot. */
@Injectable()
export class MarketBetsPort {
  private count: MarketBetsCount | null = null;

  register(count: MarketBetsCount): void {
    this.count = count;
  }

  async countBets(manager: EntityManager, marketIds: readonly string[]): Promise<number> {
    if (this.count === null) throw new Error('nobody has registered to count the bets of markets');
    return await this.count(manager, marketIds);
  }
}
