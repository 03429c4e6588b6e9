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
import { REALITY_CHECK_DEADLINES } from './reality-checks.events.js';
import { RealityChecksService } from './reality-checks.service.js';

/** Reality checks whose time has come. */
@Processor(QUEUES.realityChecks, { ...WORKER_OPTIONS, concurrency: 10 })
export class RealityChecksProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.realityChecks) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly deadlines: DeadlinesService,
    private readonly checks: RealityChecksService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.routes.on(deadlineEvent(REALITY_CHECK_DEADLINES.due), this.queue);
  }

  override async process(job: Job<EventJob<DeadlinePayload>>): Promise<void> {
    await this.deadlines.perform(job.data, async (_, sessionId) => this.checks.tell(sessionId));
  }
}
