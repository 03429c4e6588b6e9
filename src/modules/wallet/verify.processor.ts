import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../../platform/jobs/queues.js';
import { VerifyService } from './verify.service.js';

/** 8:00 UTC is 3 or 4 in the morning in New York: the fewest play. */
const NIGHTLY = '0 8 * * *';

/** Proves the ledger each night. What it finds is no failure of the job but an error in the log and a figure of the metrics. */
@Processor(QUEUES.ledgerVerify, WORKER_OPTIONS)
export class VerifyProcessor extends WorkerHost implements OnApplicationBootstrap {
  private readonly logger = new Logger('Ledger');

  constructor(
    @InjectQueue(QUEUES.ledgerVerify) private readonly queue: Queue,
    private readonly verifier: VerifyService,
  ) {
    super();
  }

  /** Not awaited: the worker starts without Redis too, and the schedule is made when it is there. */
  onApplicationBootstrap(): void {
    void this.queue
      .upsertJobScheduler('nightly', { pattern: NIGHTLY, tz: 'UTC' }, { name: 'verify' })
      .catch((error: unknown) => this.logger.warn(error));
  }

  override async process(): Promise<void> {
    await this.verifier.verify(null);
  }
}
