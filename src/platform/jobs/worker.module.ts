import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { AuditLogModule } from '../audit-log/audit-log.module.js';
import { AuditSealer } from '../audit-log/audit-sealer.js';
import { AuditVerifyProcessor } from '../audit-log/audit-verify.processor.js';
import { OutboxRelay } from '../outbox/outbox-relay.js';
import { DeadlinesPoller } from './deadlines-poller.js';
import { HousekeepingProcessor } from './housekeeping.processor.js';
import { QueueWorkers } from './queue-workers.js';

/** What only the worker process runs of the platform: relay, deadlines' poller, processors, housekeeping, audit log's sealer. */
@Module({
  imports: [DiscoveryModule, AuditLogModule],
  providers: [
    OutboxRelay,
    DeadlinesPoller,
    QueueWorkers,
    HousekeepingProcessor,
    AuditSealer,
    AuditVerifyProcessor,
  ],
})
export class PlatformWorkerModule {}
