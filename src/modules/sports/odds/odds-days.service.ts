import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PollLoop } from '../../../platform/jobs/poll-loop.js';
import { OddsRepository } from './odds.repository.js';

/** Days for which there are partitions ahead: a worker that is away for a week is missed by nobody. */
const AHEAD = 8;
const EVERY_MS = 600_000;

/** Makes the partitions of prices for the days to come: when a worker starts, and every ten minutes, which does not wait for who reads them. */
@Injectable()
export class OddsDaysService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly loop: PollLoop;

  constructor(repository: OddsRepository) {
    this.loop = new PollLoop('OddsDays', EVERY_MS, async () => {
      await repository.openDays(AHEAD);
      return false;
    });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }
}
