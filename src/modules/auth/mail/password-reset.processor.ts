import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../../../platform/jobs/queues.js';
import type { EventJob } from '../../../platform/outbox/event.js';
import { EventRoutes } from '../../../platform/outbox/event-routes.js';
import { LinkMailsService } from './link-mails.service.js';
import { linkRequested } from './mail.events.js';

/** Links that set a new password. */
@Processor(QUEUES.passwordReset, { ...WORKER_OPTIONS, concurrency: 4 })
export class PasswordResetProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.passwordReset) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly mails: LinkMailsService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.routes.on(linkRequested.password_reset, this.queue);
  }

  override async process(job: Job<EventJob<{ linkId: string }>>): Promise<void> {
    await this.mails.send('password_reset', job.data.payload.linkId);
  }
}
