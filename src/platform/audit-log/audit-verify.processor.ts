import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../jobs/queues.js';
import { AuditVerifyService } from './audit-verify.service.js';

/** After the ledger's, at 3:30 or 4:30 in the morning in New York. */
const NIGHTLY = '30 8 * * *';

/** Proves the audit log each night. What it finds is no failure of the job but an error in the log and a figure of the metrics. */
@Processor(QUEUES.auditVerify, WORKER_OPTIONS)
export class AuditVerifyProcessor extends WorkerHost implements OnApplicationBootstrap {
  private readonly logger = new Logger('AuditLog');

  constructor(
    @InjectQueue(QUEUES.auditVerify) private readonly queue: Queue,
    private readonly verifier: AuditVerifyService,
  ) {
    super();
  }

  /** Not awaited: the worker starts without Redis too, and the schedule is made when it is there. */
  onApplicationBootstrap(): void {
    void this.queue
      .upsertJobScheduler('nightly', { pattern: NIGHTLY, tz: 'UTC' }, { name: 'verify' })
      .catch((error: unknown) => this.logger.warn(error));
  }

  override async process(): Promise<void> {
    await this.verifier.verify();
  }
}
