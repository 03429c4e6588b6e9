import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { PollLoop } from '../../platform/jobs/poll-loop.js';
import { SettlementRepository } from './settlement.repository.js';
import { SettlementService } from './settlement.service.js';
import { WeekSettlementService } from './week-settlement.service.js';

const EVERY_MS = 60_000;
const LOST_AFTER_MS = 120_000;
const LOOK_BACK_MS = 3_600_000;

/**
 * Once a minute, from Postgres alone: takes up what has lost its jobs with a Redis that crashed or came back empty, and
 * weeks that became ready to settle without an event of their own. What fails is told and does not hold up the rest.
 */
@Injectable()
export class LostWorkSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('LostWork');
  private readonly loop = new PollLoop('LostWork', EVERY_MS, async () => {
    await this.sweep();
    return false;
  });

  constructor(
    private readonly repository: SettlementRepository,
    private readonly settlements: SettlementService,
    private readonly weekSettlement: WeekSettlementService,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** Results nobody has begun to settle, settlements that stand still, weeks that are ready. */
  async sweep(): Promise<void> {
    const now = this.clock.now().getTime();
    const lost = new Date(now - LOST_AFTER_MS);
    for (const { id, version } of await this.repository.findUnstarted(lost))
      await this.attempt(`result of game ${id}`, () => this.settlements.start(id, version));
    for (const id of await this.repository.findStuck(lost))
      await this.attempt(`settlement ${id}`, () => this.settlements.run(id));
    for (const id of await this.repository.findWeeksToEnd(new Date(now - LOOK_BACK_MS)))
      await this.attempt(`week ${id}`, () => this.weekSettlement.settleIfReady(id));
  }

  private async attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.error({ err: error }, `cannot take up the ${what}`);
    }
  }
}
