import { RedisConnections } from '../../src/platform/redis/redis-connections.js';
import type { System } from './system.js';

/** Where in the whole database one of these words stands, as text or as bytes: `table: row`. */
export async function tracesInDatabase(system: System, words: readonly string[]): Promise<string[]> {
  const { rows: tables } = await system.db.query<{ name: string }>(
    "SELECT c.oid::regclass::text AS name FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace",
  );
  const needles = words.flatMap((word) => [word, Buffer.from(word).toString('hex')]);
  const traces = await Promise.all(
    tables.map(async ({ name }) => {
      const { rows } = await system.db.query<{ row: string }>(
        `SELECT t::text AS row FROM ${name} t WHERE EXISTS (
           SELECT FROM unnest($1::text[]) AS n (needle) WHERE strpos(lower(t::text), lower(needle)) > 0)`,
        [needles],
      );
      return rows.map(({ row }) => `${name}: ${row}`);
    }),
  );
  return traces.flat();
}

/** Where in Redis one of these words stands, in the keys of this system or in their values. */
export async function tracesInRedis(system: System, words: readonly string[]): Promise<string[]> {
  const { cache, queue } = system.app.get(RedisConnections);
  const traces: string[] = [];
  for (const redis of new Set([cache, queue]))
    for (const key of await redis.keys(`*${system.config.REDIS_PREFIX}*`)) {
      const value = await valueOf(redis, key);
      const text = `${key} ${value}`.toLowerCase();
      if (words.some((word) => text.includes(word.toLowerCase()))) traces.push(text);
    }
  return traces;
}

async function valueOf(redis: RedisConnections['cache'], key: string): Promise<string> {
  switch (await redis.type(key)) {
    case 'string':
      return (await redis.get(key)) ?? '';
    case 'hash':
      return JSON.stringify(await redis.hgetall(key));
    case 'list':
      return JSON.stringify(await redis.lrange(key, 0, -1));
    case 'set':
      return JSON.stringify(await redis.smembers(key));
    case 'zset':
      return JSON.stringify(await redis.zrange(key, 0, -1, 'WITHSCORES'));
    case 'stream':
      return JSON.stringify(await redis.xrange(key, '-', '+'));
    default:
      return '';
  }
}
