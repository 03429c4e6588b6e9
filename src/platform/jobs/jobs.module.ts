import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { Global, Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { AppConfig } from '../config/app-config.js';
import { EventRoutes } from '../outbox/event-routes.js';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { OutboxService } from '../outbox/outbox.service.js';
import { IdempotencyRepository } from '../http/idempotency.repository.js';
import { IdempotencyService } from '../http/idempotency.js';
import { RedisConnections } from '../redis/redis-connections.js';
import { DeadLettersService } from './dead-letters.service.js';
import { DeadlinesRepository } from './deadlines.repository.js';
import { DeadlinesService } from './deadlines.service.js';
import { ALL_QUEUES, jobOptionsOf } from './queues.js';

const queues = BullModule.registerQueueAsync(
  ...ALL_QUEUES.map((name) => ({
    name,
    inject: [AppConfig, RedisConnections],
    // The braces are a hash tag: on a Redis Cluster all keys of a queue live on one node.
    useFactory: (config: AppConfig, redis: RedisConnections) => ({
      connection: redis.queue,
      prefix: `{${config.REDIS_PREFIX}:${name}}`,
      defaultJobOptions: jobOptionsOf(name),
    }),
  })),
);

/** Processors are registered by QueueWorkers, in the worker only and not before everything is initialised. */
const processors = BullModule.forRootAsync({
  inject: [RedisConnections],
  useFactory: (redis: RedisConnections) => ({ connection: redis.queue }),
  extraOptions: { manualRegistration: true },
});

/** Outbox, deadlines and queues as every process needs them: to publish. The worker adds what delivers them. */
@Global()
@Module({
  imports: [processors, queues],
  providers: [
    OutboxRepository,
    OutboxService,
    DeadlinesRepository,
    DeadlinesService,
    EventRoutes,
    IdempotencyRepository,
    IdempotencyService,
    {
      provide: DeadLettersService,
      inject: [RedisConnections, ...ALL_QUEUES.map((name) => getQueueToken(name))],
      useFactory: (redis: RedisConnections, ...all: Queue[]) => new DeadLettersService(redis, all),
    },
  ],
  exports: [
    queues,
    OutboxRepository,
    OutboxService,
    DeadlinesRepository,
    DeadlinesService,
    EventRoutes,
    IdempotencyRepository,
    IdempotencyService,
    DeadLettersService,
  ],
})
export class JobsModule {}
