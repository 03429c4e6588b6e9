import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { IdempotencyRepository } from '../http/idempotency.repository.js';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { QUEUES, WORKER_OPTIONS } from './queues.js';

const KEEP_IDEMPOTENCY_DAYS = 7;
const KEEP_PROCESSED_DAYS = 30;
const HOUR_MS = 3_600_000;

/** Hourly: forgets idempotency keys and processed event ids that no client and no queue can still bring. */
@Processor(QUEUES.housekeeping, WORKER_OPTIONS)
export class HousekeepingProcessor extends WorkerHost implements OnApplicationBootstrap {
  private readonly logger = new Logger('Housekeeping');

  constructor(
    @InjectQueue(QUEUES.housekeeping) private readonly queue: Queue,
    private readonly idempotency: IdempotencyRepository,
    private readonly outbox: OutboxRepository,
  ) {
    super();
  }

  /** Not awaited: the worker starts without Redis too, and the schedule is made when it is there. */
  onApplicationBootstrap(): void {
    void this.queue
      .upsertJobScheduler('hourly', { every: HOUR_MS }, { name: 'forget' })
      .catch((error: unknown) => this.logger.warn(error));
  }

  override async process(): Promise<void> {
    await this.idempotency.forgetOlderThan(KEEP_IDEMPOTENCY_DAYS);
    await this.outbox.forgetProcessed(KEEP_PROCESSED_DAYS);
  }
}
