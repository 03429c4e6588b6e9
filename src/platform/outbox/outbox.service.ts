import { Injectable } from '@nestjs/common';
import { ClsService } from 'nestjs-cls';
import type { EntityManager } from 'typeorm';
import { AppConfig } from '../config/app-config.js';
import { afterCommit } from '../database/after-commit.js';
import { newId } from '../database/ids.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { RedisConnections } from '../redis/redis-connections.js';
import type { EventJob, EventType } from './event.js';
import { OutboxRepository } from './outbox.repository.js';

/** How a module tells others what has happened: in its own transaction, to be delivered at least once after it. */
@Injectable()
export class OutboxService {
  constructor(
    private readonly repository: OutboxRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly redis: RedisConnections,
    private readonly cls: ClsService,
    private readonly config: AppConfig,
  ) {}

  async publish<Payload extends object>(
    manager: EntityManager,
    event: EventType<Payload>,
    payload: Payload,
  ): Promise<void> {
    await this.repository.insert(manager, {
      id: newId(),
      topic: event.topic,
      payload,
      request_id: this.requestId,
    });
    afterCommit(manager, 'outbox.wake', () => this.wake());
  }

  /** Runs `effect` in a transaction, once for each consumer and event, however often the job is delivered. */
  async consume(
    consumer: string,
    job: EventJob,
    effect: (manager: EntityManager) => Promise<void>,
  ): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      if (await this.repository.markProcessed(manager, consumer, job.eventId)) await effect(manager);
    });
  }

  /** What caused an event: the request that is being answered, or null. For SQL functions that write events themselves. */
  get requestId(): string | null {
    return this.cls.isActive() ? this.cls.getId() : null;
  }

  /** Channel on which the relay is woken. */
  get wakeChannel(): string {
    return `${this.config.REDIS_PREFIX}:outbox`;
  }

  /** Once events are committed; `publish` does so by itself. Best effort: without Redis the relay finds the row when it polls. */
  wake(): void {
    if (this.redis.cacheReady) void this.redis.cache.publish(this.wakeChannel, '').catch(() => undefined);
  }
}
