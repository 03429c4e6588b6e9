import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../../../platform/jobs/queues.js';
import type { EventJob } from '../../../platform/outbox/event.js';
import { EventRoutes } from '../../../platform/outbox/event-routes.js';
import { ExportWriterService } from './export-writer.service.js';
import { privacyEvents } from './privacy.events.js';

/** Exports that users have asked for. */
@Processor(QUEUES.dataExport, WORKER_OPTIONS)
export class ExportsProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.dataExport) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly writer: ExportWriterService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.routes.on(privacyEvents.exportRequested, this.queue);
  }

  override async process(job: Job<EventJob<{ exportId: string }>>): Promise<void> {
    await this.writer.write(job.data.payload.exportId);
  }
}
