import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { EntityManager } from 'typeorm';
import { UnitOfWork } from '../database/unit-of-work.js';
import { PollLoop } from '../jobs/poll-loop.js';
import { RedisConnections } from '../redis/redis-connections.js';
import type { EventJob } from './event.js';
import { EventRoutes } from './event-routes.js';
import { OutboxRepository, type OutboxRow } from './outbox.repository.js';
import { OutboxService } from './outbox.service.js';

const BATCH = 200;
const POLL_MS = 250;

/**
 * Hands committed events to their queues, in any number of workers at once. A row leaves the outbox only after every
 * queue has taken its job; a crash between the two hands it over again under the same job id.
 */
@Injectable()
export class OutboxRelay implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop = new PollLoop('OutboxRelay', POLL_MS, () => this.relayBatch());
  private readonly logger = new Logger('OutboxRelay');
  private subscriber: Redis | undefined;

  constructor(
    private readonly repository: OutboxRepository,
    private readonly outbox: OutboxService,
    private readonly routes: EventRoutes,
    private readonly unitOfWork: UnitOfWork,
    private readonly redis: RedisConnections,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.subscriber = this.redis.cache.duplicate({ maxRetriesPerRequest: null, commandTimeout: undefined });
    this.subscriber.on('error', () => undefined); // polling goes on meanwhile
    this.subscriber.on('message', () => this.loop.wake());
    void this.subscriber.subscribe(this.outbox.wakeChannel).catch(() => undefined);
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.subscriber?.disconnect();
    await this.loop.stop();
  }

  /** One batch; true when there may be more. */
  private async relayBatch(): Promise<boolean> {
    if (this.redis.queue.status !== 'ready') return false;
    return await this.unitOfWork.run(async (manager) => {
      const rows = await this.repository.take(manager, BATCH);
      if (rows.length > 0) await this.handOver(manager, rows);
      return rows.length === BATCH;
    });
  }

  private async handOver(manager: EntityManager, rows: OutboxRow[]): Promise<void> {
    const perQueue = new Map<ReturnType<EventRoutes['queuesFor']>[number], EventJob[]>();
    for (const row of rows) {
      const queues = this.routes.queuesFor(row.topic);
      if (queues.length === 0) this.logger.debug(`nobody listens to ${row.topic}`);
      const job: EventJob = {
        eventId: row.id,
        topic: row.topic,
        payload: row.payload as Record<string, unknown>,
        requestId: row.request_id,
      };
      for (const queue of queues) perQueue.set(queue, [...(perQueue.get(queue) ?? []), job]);
    }
    for (const [queue, jobs] of perQueue)
      await queue.addBulk(jobs.map((data) => ({ name: data.topic, data, opts: { jobId: data.eventId } })));
    await this.repository.remove(
      manager,
      rows.map((row) => row.id),
    );
  }
}
