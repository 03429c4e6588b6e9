import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AppConfig } from '../../../platform/config/app-config.js';
import { afterCommit } from '../../../platform/database/after-commit.js';
import { RedisConnections } from '../../../platform/redis/redis-connections.js';
import type { PriceChanges } from './domain/game-book.js';

/** What one process tells all others: prices with their numbers, and games of which there is something else to read. */
export interface ChangesMessage {
  readonly prices?: readonly PriceChanges[];
  readonly games?: readonly string[];
}

/**
 * Tells the API processes what has changed of games, so that they tell their sockets. A message that is lost, with the process
 * or with Redis, is made up for: numbers without gaps tell the reader that something is missing, and heads are polled.
 */
@Injectable()
export class GameChanges {
  private readonly logger = new Logger('GameChanges');
  readonly channel: string;

  constructor(
    private readonly redis: RedisConnections,
    config: AppConfig,
  ) {
    this.channel = `${config.REDIS_PREFIX}:game-changes`;
  }

  /** Once the transaction has committed: there is something to read of these games. */
  told(manager: EntityManager, ...gameIds: readonly string[]): void {
    if (gameIds.length === 0) return;
    afterCommit(manager, `${this.channel} ${gameIds.join()}`, () => this.publish({ games: gameIds }));
  }

  /** What has been committed, without waiting for Redis. */
  publish(message: ChangesMessage): void {
    if (!this.redis.cacheReady) return;
    this.redis.cache
      .publish(this.channel, JSON.stringify(message))
      .catch((error: unknown) => this.logger.warn(error));
  }
}
