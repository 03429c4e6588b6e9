import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Rules } from '../../../platform/config/rules.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { PollLoop } from '../../../platform/jobs/poll-loop.js';
import { GameChanges } from '../odds/game-changes.js';
import { SlateCache } from '../slate-cache.js';
import { FeedsRepository } from './feeds.repository.js';

const EVERY_MS = 5000;
const GAMES_AT_A_TIME = 200;

/**
 * In every worker: suspends the markets of feeds that have fallen silent, whoever follows them or does no longer. A price that the feed
 * gives again opens them.
 */
@Injectable()
export class StaleMarketsSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('StaleMarkets');
  private readonly loop = new PollLoop('StaleMarkets', EVERY_MS, async () => {
    await this.sweep();
    return false;
  });

  constructor(
    private readonly repository: FeedsRepository,
    private readonly changes: GameChanges,
    private readonly unitOfWork: UnitOfWork,
    private readonly rules: Rules,
    private readonly cache: SlateCache,
  ) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** How many markets were suspended. */
  async sweep(): Promise<number> {
    const { staleAfter } = this.rules.sports;
    let suspended = 0;
    for (;;) {
      const { found, markets } = await this.unitOfWork.run(async (manager) => {
        const games = await this.repository.shutStale(manager, staleAfter, GAMES_AT_A_TIME);
        if (games.length === 0) return { found: 0, markets: 0 };
        const done = await this.repository.suspendStale(manager, games, staleAfter);
        this.changes.told(manager, ...done.games);
        return { found: games.length, markets: done.markets };
      });
      suspended += markets;
      if (found < GAMES_AT_A_TIME) break;
    }
    if (suspended > 0) {
      this.cache.clear();
      this.logger.warn(`${suspended} markets are suspended: their feed has fallen silent`);
    }
    return suspended;
  }
}
