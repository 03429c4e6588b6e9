import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { newId } from '../database/ids.js';
import { DeadlinesRepository } from './deadlines.repository.js';
import { PollLoop } from './poll-loop.js';

const BATCH = 100;
const POLL_MS = 250;

/** Fires the deadlines that are due; any number of workers may do so at once. */
@Injectable()
export class DeadlinesPoller implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop = new PollLoop('DeadlinesPoller', POLL_MS, async () => {
    const fired = await this.repository.fireDue(Array.from({ length: BATCH }, newId));
    return fired === BATCH;
  });

  constructor(private readonly repository: DeadlinesRepository) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }
}
