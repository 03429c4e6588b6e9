import { Module } from '@nestjs/common';
import { OutboxRelay } from '../outbox/outbox-relay.js';
import { DeadlinesPoller } from './deadlines-poller.js';
import { HousekeepingProcessor } from './housekeeping.processor.js';

/** What only the worker process runs of the platform: the relay, the deadlines' poller, the housekeeping. */
@Module({ providers: [OutboxRelay, DeadlinesPoller, HousekeepingProcessor] })
export class PlatformWorkerModule {}
