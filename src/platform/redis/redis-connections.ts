import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { AppConfig } from '../config/app-config.js';
import { httpErrors } from '../http/http.errors.js';

/**
 * The two roles of Redis. `cache` holds sessions, rate limits and caches and may lose them: a command fails at once
 * when Redis is away, so that callers fall back. `queue` belongs to BullMQ and waits for Redis to return.
 */
@Injectable()
export class RedisConnections implements OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  readonly cache: Redis;
  readonly queue: Redis;

  constructor(config: AppConfig) {
    const retryStrategy = (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 2000);
    this.cache = this.connect('cache', config.REDIS_CACHE_URL ?? config.REDIS_URL, {
      retryStrategy,
      enableOfflineQueue: true,
      maxRetriesPerRequest: 1,
      commandTimeout: 1000,
      socketTimeout: 2000, // a peer that is silent is given up, so that what follows does not wait for it
      enableAutoPipelining: true,
    });
    this.queue = this.connect('queue', config.REDIS_QUEUE_URL ?? config.REDIS_URL, {
      retryStrategy,
      maxRetriesPerRequest: null,
      socketTimeout: 20_000, // BullMQ's blocking reads are silent for ten seconds
    });
  }

  /** Whether the cache role can be asked now without waiting. */
  get cacheReady(): boolean {
    return this.cache.status === 'ready';
  }

  /** Commands of the queue role wait for Redis; a caller who cannot is refused with SERVICE_UNAVAILABLE. */
  requireQueue(): void {
    if (this.queue.status !== 'ready')
      throw httpErrors.SERVICE_UNAVAILABLE({ part: 'queues', retryAfter: 2 });
  }

  async onApplicationShutdown(): Promise<void> {
    for (const connection of [this.cache, this.queue]) connection.disconnect();
  }

  private connect(role: string, url: string, options: RedisOptions): Redis {
    const connection = new Redis(url, { ...options, connectionName: `parley-${role}` });
    let lastMessage = '';
    connection.on('error', (error: Error) => {
      if (error.message !== lastMessage) this.logger.warn(`${role}: ${error.message}`);
      lastMessage = error.message;
    });
    connection.on('ready', () => {
      lastMessage = '';
    });
    return connection;
  }
}
