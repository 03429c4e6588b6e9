import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../../platform/jobs/queues.js';
import type { EventJob } from '../../platform/outbox/event.js';
import { EventRoutes } from '../../platform/outbox/event-routes.js';
import { SocketsService } from '../../platform/realtime/sockets.service.js';
import { selfExcluded } from './compliance.events.js';

/** Sockets of who has excluded themselves end in every API process; none is let in afterwards. */
@Processor(QUEUES.selfExclusion, { ...WORKER_OPTIONS, concurrency: 10 })
export class SelfExclusionProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.selfExclusion) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly sockets: SocketsService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.routes.on(selfExcluded, this.queue);
  }

  override async process(job: Job<EventJob<{ userId: string }>>): Promise<void> {
    await this.sockets.close({ userId: job.data.payload.userId, reason: 'SELF_EXCLUDED' });
  }
}
