import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { PollLoop } from '../../platform/jobs/poll-loop.js';
import { ChecksService } from './checks.service.js';
import { ReconciliationService } from './reconciliation.service.js';
import { SubscriptionsService } from './subscriptions.service.js';

const EVERY_MS = 60_000;

/** Once a minute in the worker: whoever is silent is asked, subscriptions end, and the books of the last day are compared. */
@Injectable()
export class PaymentsSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('PaymentsSweeper');
  private readonly loop = new PollLoop('PaymentsSweeper', EVERY_MS, () => this.sweep());

  constructor(
    private readonly checks: ChecksService,
    private readonly reconciliation: ReconciliationService,
    private readonly subscriptions: SubscriptionsService,
  ) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  private async sweep(): Promise<boolean> {
    const more = await this.checks.run();
    const ended = await this.subscriptions.endOverdue();
    if (ended > 0) this.logger.log(`${ended} subscriptions have ended`);
    await this.reconciliation.compareLastDay();
    return more;
  }
}
