import { Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { AppConfig } from '../config/app-config.js';
import { RedisConnections } from '../redis/redis-connections.js';

type Count = Awaited<ReturnType<ThrottlerStorage['increment']>>;
type CountingRedis = Redis & { parleyCount(key: string, ttlMs: number): Promise<[hits: number, ttlMs: number]> };

const COUNT = `
local hits = redis.call('INCR', KEYS[1])
if hits == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return { hits, redis.call('PTTL', KEYS[1]) }`;

/**
 * Counts requests in a fixed window that begins with the first one, in Redis, so that all API processes count together.
 * Without Redis each process counts for itself.
 */
@Injectable()
export class RateLimitStorage implements ThrottlerStorage {
  private readonly local = new LRUCache<string, { hits: number; endsAt: number }>({ max: 50_000 });
  private readonly redis: CountingRedis;

  constructor(
    private readonly connections: RedisConnections,
    private readonly config: AppConfig,
  ) {
    connections.cache.defineCommand('parleyCount', { numberOfKeys: 1, lua: COUNT });
    this.redis = connections.cache as CountingRedis;
  }

  async increment(key: string, ttlMs: number, limit: number, _block: number, name: string): Promise<Count> {
    const [hits, left] = await this.count(`${this.config.REDIS_PREFIX}:rate:${name}:${key}`, ttlMs);
    const seconds = Math.max(1, Math.ceil(left / 1000));
    return { totalHits: hits, timeToExpire: seconds, isBlocked: hits > limit, timeToBlockExpire: seconds };
  }

  private async count(key: string, ttlMs: number): Promise<[number, number]> {
    if (!this.connections.cacheReady) return this.countHere(key, ttlMs);
    try {
      return await this.redis.parleyCount(key, ttlMs);
    } catch {
      return this.countHere(key, ttlMs);
    }
  }

  private countHere(key: string, ttlMs: number): [number, number] {
    const now = performance.now();
    const entry = this.local.get(key);
    const window = entry && entry.endsAt > now ? entry : { hits: 0, endsAt: now + ttlMs };
    window.hits += 1;
    this.local.set(key, window);
    return [window.hits, window.endsAt - now];
  }
}
