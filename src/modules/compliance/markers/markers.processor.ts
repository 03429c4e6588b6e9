import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../../../platform/jobs/queues.js';
import { MarkersService } from './markers.service.js';

/** An hour after the ledger is proved, when the fewest play in New York. */
const NIGHTLY = '0 9 * * *';

/** Looks each night at the day that has ended. */
@Processor(QUEUES.harmMarkers, WORKER_OPTIONS)
export class MarkersProcessor extends WorkerHost implements OnApplicationBootstrap {
  private readonly logger = new Logger('Markers');

  constructor(
    @InjectQueue(QUEUES.harmMarkers) private readonly queue: Queue,
    private readonly markers: MarkersService,
  ) {
    super();
  }

  /** Not awaited: the worker starts without Redis too, and the schedule is made when it is there. */
  onApplicationBootstrap(): void {
    void this.queue
      .upsertJobScheduler('nightly', { pattern: NIGHTLY, tz: 'UTC' }, { name: 'look' })
      .catch((error: unknown) => this.logger.warn(error));
  }

  override async process(): Promise<void> {
    await this.markers.run();
  }
}
