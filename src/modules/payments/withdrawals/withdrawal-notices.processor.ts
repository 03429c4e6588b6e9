import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../../../platform/jobs/queues.js';
import type { EventJob } from '../../../platform/outbox/event.js';
import { EventRoutes } from '../../../platform/outbox/event-routes.js';
import { SocketsService } from '../../../platform/realtime/sockets.service.js';
import { SecurityNoticesService } from '../../auth/mail/security-notices.service.js';
import { withdrawalChanged } from './withdrawals.events.js';
import { withdrawalUpdated } from './withdrawals.sockets.js';

const NOTICES = {
  requested: 'withdrawalRequested',
  paid: 'withdrawalPaid',
  rejected: 'withdrawalRejected',
  failed: 'withdrawalFailed',
  returned: 'withdrawalReturned',
} as const;

interface Payload {
  withdrawalId: string;
  userId: string;
  status: keyof typeof NOTICES;
}

/** What becomes of a withdrawal: `withdrawal:updated` on `/notifications`, and a mail. */
@Processor(QUEUES.withdrawalNotices, { ...WORKER_OPTIONS, concurrency: 4 })
export class WithdrawalNoticesProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.withdrawalNotices) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly sockets: SocketsService,
    private readonly notices: SecurityNoticesService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.routes.on(withdrawalChanged, this.queue);
  }

  override async process(job: Job<EventJob<Payload & Record<string, unknown>>>): Promise<void> {
    const { withdrawalId: id, userId, status } = job.data.payload;
    await this.sockets.tell({ userId, event: withdrawalUpdated, payload: { id, status } });
    await this.notices.send(NOTICES[status], { userId, sessionId: undefined });
  }
}
