import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../../platform/jobs/queues.js';
import type { EventJob } from '../../platform/outbox/event.js';
import { EventRoutes } from '../../platform/outbox/event-routes.js';
import { WalletUpdatesService } from './wallet-updates.service.js';
import { walletChanged } from './wallet.events.js';

/** Money that was moved, told to whom it belongs. */
@Processor(QUEUES.walletUpdates, { ...WORKER_OPTIONS, concurrency: 10 })
export class WalletUpdatesProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.walletUpdates) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly updates: WalletUpdatesService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.routes.on(walletChanged, this.queue);
  }

  override async process(job: Job<EventJob<{ userIds: string[] }>>): Promise<void> {
    await this.updates.tell(job.data.payload.userIds);
  }
}
