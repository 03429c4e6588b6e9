import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnApplicationBootstrap, OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import {
  type DeadlinePayload,
  deadlineEvent,
  DeadlinesService,
} from '../../platform/jobs/deadlines.service.js';
import { QUEUES, WORKER_OPTIONS } from '../../platform/jobs/queues.js';
import type { EventJob } from '../../platform/outbox/event.js';
import { EventRoutes } from '../../platform/outbox/event-routes.js';
import { GroupingService } from './grouping.service.js';
import { POOLS_DEADLINES } from './pools.events.js';
import { WeeksService } from './weeks.service.js';

/** The turning of the weeks, when their deadlines come. */
@Processor(QUEUES.weekCycle, WORKER_OPTIONS)
export class WeeksProcessor extends WorkerHost implements OnModuleInit, OnApplicationBootstrap {
  constructor(
    @InjectQueue(QUEUES.weekCycle) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly deadlines: DeadlinesService,
    private readonly weeks: WeeksService,
    private readonly grouping: GroupingService,
  ) {
    super();
  }

  onModuleInit(): void {
    for (const kind of Object.values(POOLS_DEADLINES)) this.routes.on(deadlineEvent(kind), this.queue);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.weeks.openCurrent();
  }

  override async process(job: Job<EventJob<DeadlinePayload>>): Promise<void> {
    await this.deadlines.perform(job.data, async (kind, subject) => {
      const weekId = Number(subject);
      if (kind === POOLS_DEADLINES.open) await this.weeks.open(weekId);
      else if (kind === POOLS_DEADLINES.group) await this.grouping.group(weekId, null);
      else await this.weeks.close(weekId);
    });
  }
}
