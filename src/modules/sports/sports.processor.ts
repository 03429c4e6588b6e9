import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import {
  type DeadlinePayload,
  deadlineEvent,
  DeadlinesService,
} from '../../platform/jobs/deadlines.service.js';
import { QUEUES, WORKER_OPTIONS } from '../../platform/jobs/queues.js';
import type { EventJob } from '../../platform/outbox/event.js';
import { EventRoutes } from '../../platform/outbox/event-routes.js';
import { ResultsService } from './results.service.js';
import { SPORTS_DEADLINES } from './sports.events.js';

/** Starts, results to confirm and overdue games, when their deadlines come. */
@Processor(QUEUES.gameCycle, { ...WORKER_OPTIONS, concurrency: 4 })
export class SportsProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.gameCycle) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly deadlines: DeadlinesService,
    private readonly results: ResultsService,
  ) {
    super();
  }

  onModuleInit(): void {
    for (const kind of Object.values(SPORTS_DEADLINES)) this.routes.on(deadlineEvent(kind), this.queue);
  }

  override async process(job: Job<EventJob<DeadlinePayload>>): Promise<void> {
    await this.deadlines.perform(job.data, async (kind, gameId) => {
      if (kind === SPORTS_DEADLINES.gameLock) await this.results.lockAtStart(gameId);
      else if (kind === SPORTS_DEADLINES.gameConfirm) await this.results.confirm(gameId);
      else await this.results.giveUp(gameId);
    });
  }
}
