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

/**
 * Once a minute in the worker: whoever is silent is asked, subscriptions end, and the books of days that are over are compared.
 * Each for itself, so that what fails of one holds up none of the others.
 */
@Injectable()
export class PaymentsSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('PaymentsSweeper');
  private readonly loops = [
    new PollLoop('PaymentChecks', EVERY_MS, () => this.checks.run()),
    new PollLoop('SubscriptionEnds', EVERY_MS, () => this.endSubscriptions()),
    new PollLoop('Reconciliation', EVERY_MS, () => this.compare()),
  ];

  constructor(
    private readonly checks: ChecksService,
    private readonly reconciliation: ReconciliationService,
    private readonly subscriptions: SubscriptionsService,
  ) {}

  onApplicationBootstrap(): void {
    for (const loop of this.loops) loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  private async endSubscriptions(): Promise<boolean> {
    const ended = await this.subscriptions.endOverdue();
    if (ended > 0) this.logger.log(`${ended} subscriptions have ended`);
    return false;
  }

  private async compare(): Promise<boolean> {
    return await this.reconciliation.compareDays();
  }
}
