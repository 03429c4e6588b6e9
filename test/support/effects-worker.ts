import 'reflect-metadata';
import { BullModule, InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { Module, type OnModuleInit } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Job, Queue } from 'bullmq';
import { AppConfig } from '../../src/platform/config/app-config.js';
import { loadAppConfig } from '../../src/platform/config/load-config.js';
import {
  deadlineEvent,
  type DeadlinePayload,
  DeadlinesService,
} from '../../src/platform/jobs/deadlines.service.js';
import { WORKER_OPTIONS } from '../../src/platform/jobs/queues.js';
import { serveOperations } from '../../src/platform/observability/operations-server.js';
import { runUntilStopped, startOrExit } from '../../src/platform/observability/run.js';
import type { EventJob } from '../../src/platform/outbox/event.js';
import { EventRoutes } from '../../src/platform/outbox/event-routes.js';
import { OutboxService } from '../../src/platform/outbox/outbox.service.js';
import { RedisConnections } from '../../src/platform/redis/redis-connections.js';
import { WorkerModule } from '../../src/worker.module.js';
import { DUE_KIND, EFFECTS_QUEUE, happened } from './effects.js';

/** Notes each test event in `test_effects`, once however often it is delivered. */
@Processor(EFFECTS_QUEUE, { ...WORKER_OPTIONS, concurrency: 2 })
class EffectsProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(EFFECTS_QUEUE) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly outbox: OutboxService,
    private readonly deadlines: DeadlinesService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.routes.on(happened, this.queue);
    this.routes.on(deadlineEvent(DUE_KIND), this.queue);
  }

  override async process({ data }: Job<EventJob>): Promise<void> {
    if (data.topic === happened.topic) await this.note(data);
    else
      await this.deadlines.perform(data as unknown as EventJob<DeadlinePayload>, async () => this.note(data));
  }

  private async note(event: EventJob): Promise<void> {
    const { topic, eventId, payload } = event;
    await this.outbox.consume('test-effects', event, async (manager) => {
      await manager.query('INSERT INTO test_effects (topic, event_id, subject) VALUES ($1, $2, $3)', [
        topic,
        eventId,
        payload['subject'],
      ]);
    });
  }
}

const effectsQueue = BullModule.registerQueueAsync({
  name: EFFECTS_QUEUE,
  inject: [AppConfig, RedisConnections],
  useFactory: (config: AppConfig, redis: RedisConnections) => ({
    connection: redis.queue,
    prefix: `{${config.REDIS_PREFIX}:${EFFECTS_QUEUE}}`,
    // Forgotten at once, so that an event handed over again is delivered again.
    defaultJobOptions: { attempts: 12, backoff: { type: 'fixed', delay: 100 }, removeOnComplete: true },
  }),
});

@Module({})
class EffectsWorkerModule {}

await startOrExit(async () => {
  const config = loadAppConfig();
  const module = {
    module: EffectsWorkerModule,
    imports: [WorkerModule.forRoot(config), effectsQueue],
    providers: [EffectsProcessor],
  };
  const worker = await NestFactory.createApplicationContext(module, { abortOnError: false });
  runUntilStopped(worker, config, await serveOperations(worker, config));
});
