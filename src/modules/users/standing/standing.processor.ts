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
import { STANDING_DEADLINES } from './standing.events.js';
import { StandingService } from './standing.service.js';

/** The end of bans that have one. */
@Processor(QUEUES.banEnd, WORKER_OPTIONS)
export class StandingProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.banEnd) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly deadlines: DeadlinesService,
    private readonly standing: StandingService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.routes.on(deadlineEvent(STANDING_DEADLINES.banEnd), this.queue);
  }

  override async process(job: Job<EventJob<DeadlinePayload>>): Promise<void> {
    await this.deadlines.perform(job.data, async (_, userId) => this.standing.endBan(userId));
  }
}
