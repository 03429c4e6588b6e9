import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { OutboxRelay } from '../outbox/outbox-relay.js';
import { DeadlinesPoller } from './deadlines-poller.js';
import { HousekeepingProcessor } from './housekeeping.processor.js';
import { QueueWorkers } from './queue-workers.js';

/** What only the worker process runs of the platform: the relay, the deadlines' poller, the processors, the housekeeping. */
@Module({
  imports: [DiscoveryModule],
  providers: [OutboxRelay, DeadlinesPoller, QueueWorkers, HousekeepingProcessor],
})
export class PlatformWorkerModule {}
