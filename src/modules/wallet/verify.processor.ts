import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../../platform/jobs/queues.js';
import type { EventJob } from '../../platform/outbox/event.js';
import { EventRoutes } from '../../platform/outbox/event-routes.js';
import { VerificationsService } from './verifications.service.js';
import { VerifyService } from './verify.service.js';
import { verificationRequested } from './wallet.events.js';

/** 8:00 UTC is 3 or 4 in the morning in New York: the fewest play. */
const NIGHTLY = '0 8 * * *';

type Requested = EventJob<{ verificationId: string }>;

/**
 * Proves the ledger each night, and when an operator asks for it. What it finds is no failure of the job but an error in the
 * log and a figure of the metrics.
 */
@Processor(QUEUES.ledgerVerify, WORKER_OPTIONS)
export class VerifyProcessor extends WorkerHost implements OnModuleInit, OnApplicationBootstrap {
  private readonly logger = new Logger('Ledger');

  constructor(
    @InjectQueue(QUEUES.ledgerVerify) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly verifier: VerifyService,
    private readonly verifications: VerificationsService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.routes.on(verificationRequested, this.queue);
  }

  /** Not awaited: the worker starts without Redis too, and the schedule is made when it is there. */
  onApplicationBootstrap(): void {
    void this.queue
      .upsertJobScheduler('nightly', { pattern: NIGHTLY, tz: 'UTC' }, { name: 'verify' })
      .catch((error: unknown) => this.logger.warn(error));
  }

  override async process(job: Job<Requested | Record<string, never>>): Promise<void> {
    if (job.name === verificationRequested.topic) await this.perform(job as Job<Requested>);
    else await this.verifier.verify(null);
  }

  private async perform(job: Job<Requested>): Promise<void> {
    const { verificationId } = job.data.payload;
    try {
      await this.verifications.perform(verificationId);
    } catch (error) {
      if (job.attemptsMade + 1 >= (job.opts.attempts ?? 1)) await this.verifications.giveUp(verificationId);
      throw error;
    }
  }
}
