import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import {
  type DeadlinePayload,
  deadlineEvent,
  DeadlinesService,
} from '../../../platform/jobs/deadlines.service.js';
import { QUEUES, WORKER_OPTIONS } from '../../../platform/jobs/queues.js';
import type { EventJob } from '../../../platform/outbox/event.js';
import { EventRoutes } from '../../../platform/outbox/event-routes.js';
import { ErasureService } from './erasure.service.js';
import { PRIVACY_DEADLINES } from './privacy.events.js';

/** Closed accounts whose day has come. */
@Processor(QUEUES.accountErasure, WORKER_OPTIONS)
export class ErasureProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.accountErasure) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly deadlines: DeadlinesService,
    private readonly erasure: ErasureService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.routes.on(deadlineEvent(PRIVACY_DEADLINES.erase), this.queue);
  }

  override async process(job: Job<EventJob<DeadlinePayload>>): Promise<void> {
    await this.deadlines.perform(job.data, async (_, userId) => {
      await this.erasure.eraseIfDue(userId);
    });
  }
}
