import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { AppConfig } from '../config/app-config.js';
import { Batch } from '../redis/batch.js';
import { RedisConnections } from '../redis/redis-connections.js';

type Count = Awaited<ReturnType<ThrottlerStorage['increment']>>;
type Counted = [hits: number, ttlMs: number];
type CountingRedis = Redis & {
  parleyCount(count: number, ...keysAndArguments: (string | number)[]): Promise<Counted[]>;
};

/** So many hits more (or, given back, fewer) of a window that lasts so long from its first. */
interface Hits {
  readonly key: string;
  readonly ttlMs: number;
  readonly hits: number;
}

/** The limit by address that every request passes first. */
export const FLOOD = 'flood';

const COUNT = `
local counted = {}
for i, key in ipairs(KEYS) do
  local ttl, new = ARGV[2 * i - 1], tonumber(ARGV[2 * i])
  local hits = 0
  if new > 0 or redis.call('EXISTS', key) == 1 then hits = redis.call('INCRBY', key, new) end
  if hits == new then redis.call('PEXPIRE', key, ttl) end
  counted[i] = { hits, redis.call('PTTL', key) }
end
return counted`;

/** How often the hits of a loosely counted limit are added up with those of other processes. */
const SYNC_MS = 100;

interface Window {
  /** Hits of all processes as last told by Redis, and of this one since. */
  shared: number;
  unsent: number;
  endsAt: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Counts requests in a fixed window that begins with the first one, in Redis, so that all API processes count together.
 * Without Redis each process counts for itself. The flood limit, which every request passes, is counted here and added
 * up in Redis ten times a second: exact to what a tenth of a second brings, and without a round trip of its own.
 */
@Injectable()
export class RateLimitStorage implements ThrottlerStorage, OnApplicationShutdown {
  private readonly windows = new LRUCache<string, Window>({
    max: 50_000,
    dispose: ({ timer }) => clearTimeout(timer),
  });
  private readonly redis: CountingRedis;
  private readonly counts = new Batch((asked: readonly Hits[]) =>
    this.redis.parleyCount(
      asked.length,
      ...asked.map(({ key }) => key),
      ...asked.flatMap(({ ttlMs, hits }) => [ttlMs, hits]),
    ),
  );

  constructor(
    private readonly connections: RedisConnections,
    private readonly config: AppConfig,
  ) {
    connections.cache.defineCommand('parleyCount', { lua: COUNT });
    this.redis = connections.cache as CountingRedis;
  }

  onApplicationShutdown(): void {
    this.windows.clear();
  }

  async increment(key: string, ttlMs: number, limit: number, _block: number, name: string): Promise<Count> {
    const full = `${this.config.REDIS_PREFIX}:rate:${name}:${key}`;
    const [hits, left] = name === FLOOD ? this.countLoosely(full, ttlMs) : await this.count(full, ttlMs);
    const seconds = Math.max(1, Math.ceil(left / 1000));
    return { totalHits: hits, timeToExpire: seconds, isBlocked: hits > limit, timeToBlockExpire: seconds };
  }

  /** Takes a hit back that should not have counted; of a window that has ended there is none. */
  async giveBack(key: string, ttlMs: number, name: string): Promise<void> {
    await this.count(`${this.config.REDIS_PREFIX}:rate:${name}:${key}`, ttlMs, -1);
  }

  private async count(key: string, ttlMs: number, hits = 1): Promise<[number, number]> {
    if (!this.connections.cacheReady) return this.countHere(key, ttlMs, hits);
    try {
      return await this.counts.add({ key, ttlMs, hits });
    } catch {
      return this.countHere(key, ttlMs, hits);
    }
  }

  private countLoosely(key: string, ttlMs: number): [number, number] {
    const counted = this.countHere(key, ttlMs);
    const window = this.windows.get(key);
    if (window) window.timer ??= setTimeout(() => void this.addUp(key, window, ttlMs), SYNC_MS).unref();
    return counted;
  }

  private async addUp(key: string, window: Window, ttlMs: number): Promise<void> {
    window.timer = undefined;
    if (!this.connections.cacheReady) return;
    const sent = window.unsent;
    try {
      const [shared, left] = await this.counts.add({ key, ttlMs, hits: sent });
      window.shared = shared;
      window.unsent -= sent;
      window.endsAt = performance.now() + left;
    } catch {
      // Redis went away: this process goes on counting for itself.
    }
  }

  private countHere(key: string, ttlMs: number, hits = 1): [number, number] {
    const now = performance.now();
    let window = this.windows.get(key);
    if (!window || window.endsAt <= now) {
      window = { shared: 0, unsent: 0, endsAt: now + ttlMs, timer: undefined };
      this.windows.set(key, window);
    }
    window.unsent = Math.max(-window.shared, window.unsent + hits);
    return [window.shared + window.unsent, window.endsAt - now];
  }
}
