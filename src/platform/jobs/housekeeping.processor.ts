import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { Queue } from 'bullmq';
import { IdempotencyRepository } from '../http/idempotency.repository.js';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { DeadlinesRepository } from './deadlines.repository.js';
import { type Forget, type Forgetful, HasHousekeeping } from './housekeeping.decorator.js';
import { QUEUES, WORKER_OPTIONS } from './queues.js';

const KEEP_IDEMPOTENCY_DAYS = 7;
const KEEP_PROCESSED_DAYS = 30;
const KEEP_DEADLINES_DAYS = 30;
const HOUR_MS = 3_600_000;
/** Rows that one statement deletes: a backlog of any length stays below the statement timeout. */
const BATCH = 5000;

/** Hourly: forgets what no client and no queue can still bring, and what modules say is of no use any more. */
@Processor(QUEUES.housekeeping, WORKER_OPTIONS)
export class HousekeepingProcessor extends WorkerHost implements OnApplicationBootstrap {
  private readonly logger = new Logger('Housekeeping');

  constructor(
    @InjectQueue(QUEUES.housekeeping) private readonly queue: Queue,
    private readonly idempotency: IdempotencyRepository,
    private readonly outbox: OutboxRepository,
    private readonly deadlines: DeadlinesRepository,
    private readonly discovery: DiscoveryService,
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
    await forgetAll((limit) => this.idempotency.forgetOlderThan(KEEP_IDEMPOTENCY_DAYS, limit));
    await forgetAll((limit) => this.outbox.forgetProcessed(KEEP_PROCESSED_DAYS, limit));
    await forgetAll((limit) => this.deadlines.forgetDone(KEEP_DEADLINES_DAYS, limit));
    for (const wrapper of this.discovery.getProviders({ metadataKey: HasHousekeeping.KEY }))
      for (const forget of (wrapper.instance as Forgetful).forgets) await forgetAll(forget);
  }
}

async function forgetAll(forget: Forget): Promise<void> {
  while ((await forget(BATCH)) >= BATCH);
}
