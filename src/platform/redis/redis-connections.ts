import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { AppConfig } from '../config/app-config.js';
import { httpErrors } from '../http/http.errors.js';

const BEAT_MS = 1000;
const SILENCE_MS = 1000;

/**
 * The two roles of Redis. `cache` holds sessions, rate limits and caches and may lose them: a command fails at once
 * when Redis is away, so that callers fall back. `queue` belongs to BullMQ and waits for Redis to return.
 * A server that is silent without closing the connection would hold up both: each is asked for a sign of life.
 */
@Injectable()
export class RedisConnections implements OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  readonly cache: Redis;
  readonly queue: Redis;
  private readonly stopped = new AbortController();

  constructor(config: AppConfig) {
    const retryStrategy = (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 2000);
    this.cache = this.connect('cache', config.REDIS_CACHE_URL ?? config.REDIS_URL, {
      retryStrategy,
      enableOfflineQueue: true,
      maxRetriesPerRequest: 1,
      commandTimeout: 1000,
      enableAutoPipelining: true,
    });
    this.queue = this.connect('queue', config.REDIS_QUEUE_URL ?? config.REDIS_URL, {
      retryStrategy,
      maxRetriesPerRequest: null,
    });
    for (const connection of [this.cache, this.queue]) void this.watch(connection).catch(() => undefined);
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
    this.stopped.abort();
    for (const connection of [this.cache, this.queue]) connection.disconnect();
  }

  private async watch(connection: Redis): Promise<void> {
    const { signal } = this.stopped;
    for (let missed = 0; !signal.aborted; missed = await this.beat(connection, missed))
      await sleep(BEAT_MS, undefined, { ref: false, signal });
  }

  /** Gives the connection up when two answers in a row stay out; one may, when it was this process that was busy. */
  private async beat(connection: Redis, missed: number): Promise<number> {
    if (connection.status !== 'ready') return 0;
    const ping = connection.ping().then(
      () => true,
      () => false,
    );
    if (await Promise.race([ping, sleep(SILENCE_MS, false, { ref: false })])) return 0;
    if (missed > 0 && connection.status === 'ready') connection.disconnect(true);
    return missed + 1;
  }

  private connect(role: string, url: string, options: RedisOptions): Redis {
    const connection = new Redis(url, {
      ...options,
      connectionName: `parley-${role}`,
      keepAlive: 10_000,
      disconnectTimeout: 100,
    });
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
