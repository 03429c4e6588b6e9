import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** Whether a week in which the game has bets, or the week that it starts in, is settled. */
export type SettledWeeks = (manager: EntityManager, game: { id: string; startsAt: Date }) => Promise<boolean>;

/** What sports asks of the module that ends weeks: until then a feed may correct a result. Filled at boot. */
@Injectable()
export class SettledWeeksPort {
  private settled: SettledWeeks | null = null;

  register(settled: SettledWeeks): void {
    this.settled = settled;
  }

  async isSettled(manager: EntityManager, game: { id: string; startsAt: Date }): Promise<boolean> {
    if (this.settled === null) throw new Error('nobody has registered to tell whether a week is settled');
    return await this.settled(manager, game);
  }
}
