import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../../platform/jobs/queues.js';
import type { EventJob } from '../../platform/outbox/event.js';
import { EventRoutes } from '../../platform/outbox/event-routes.js';
import { selfExcluded } from '../compliance/compliance.events.js';
import { LeavingService } from './leaving.service.js';

/** What becomes of the passes of who has excluded themselves. */
@Processor(QUEUES.passRefunds, { ...WORKER_OPTIONS, concurrency: 4 })
export class LeavingProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.passRefunds) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly leaving: LeavingService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.routes.on(selfExcluded, this.queue);
  }

  override async process(job: Job<EventJob<{ userId: string }>>): Promise<void> {
    await this.leaving.refundUnused(job.data.payload.userId);
  }
}
