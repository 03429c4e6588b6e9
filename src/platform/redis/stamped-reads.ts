import { LRUCache } from 'lru-cache';
import { newId } from '../database/ids.js';
import { withTimeout } from '../observability/with-timeout.js';
import { Batch } from './batch.js';
import type { RedisConnections } from './redis-connections.js';

/** Stamps outlive what was read under them, so that a forgotten one is never taken for an older one. */
const STAMP_SECONDS = 60;

/** A Redis that has fallen silent does not hold up the one who has changed something. */
const PATIENCE_MS = 100;

interface Kept<T> {
  readonly stamps: string;
  readonly reading: Promise<T>;
}

/**
 * Reads that one process keeps and every process can make stale. What is kept was read under the stamps of its subjects
 * in Redis; whoever changes a subject sets a new stamp once that is committed, and no process answers from before it. A stamp
 * that could not be set (Redis away, a process killed after its commit) is made up for by `maxAgeMs`; without Redis nothing
 * is kept. For what is shown; nothing that moves credits or money is ever decided from here.
 */
export class StampedReads<T extends object> {
  private readonly kept: LRUCache<string, Kept<T>>;
  /** Stamps that were asked for before they are needed, until they are taken. */
  private readonly begun = new LRUCache<string, Promise<string | null>>({ max: 1000 });
  private readonly stamps = new Batch(async (asked: readonly string[][]) => {
    const found = await this.redis.cache.mget(asked.flat());
    let from = 0;
    return asked.map(({ length }) => found.slice(from, (from += length)).join(' '));
  });

  constructor(
    private readonly redis: RedisConnections,
    private readonly options: { prefix: string; maxAgeMs: number; max: number },
  ) {
    this.kept = new LRUCache({ max: options.max, ttl: options.maxAgeMs });
  }

  /**
   * Asks for the stamps of the subjects, which the next `getOrRead` for them takes. What it takes was asked for no earlier than
   * by its own request: whoever begins replaces what others began and have not taken.
   */
  begin(subjects: readonly string[]): void {
    this.begun.set(subjects.join(' '), this.stampsOf(subjects));
  }

  /** What was read of these subjects under this key, or what `read` reads now. */
  async getOrRead(subjects: readonly string[], key: string, read: () => Promise<T>): Promise<T> {
    const stamps = await this.takeOrAsk(subjects);
    if (stamps === null) return await read();
    const known = this.kept.get(key);
    if (known?.stamps === stamps) return await known.reading;
    const reading = read();
    this.kept.set(key, { stamps, reading });
    reading.catch(() => this.kept.delete(key));
    return await reading;
  }

  /** What was read of the subject until now is stale. Call it after the commit, and answer the caller after it. */
  async changed(subject: string): Promise<void> {
    if (!this.redis.cacheReady) return;
    const told = this.redis.cache.set(this.keyOf(subject), newId(), 'EX', STAMP_SECONDS);
    await withTimeout(told, PATIENCE_MS, 'stamp').catch(() => undefined);
  }

  private async takeOrAsk(subjects: readonly string[]): Promise<string | null> {
    const name = subjects.join(' ');
    const begun = this.begun.get(name);
    if (begun === undefined) return await this.stampsOf(subjects);
    this.begun.delete(name);
    return await begun;
  }

  private async stampsOf(subjects: readonly string[]): Promise<string | null> {
    if (!this.redis.cacheReady) return null;
    try {
      return await this.stamps.add(subjects.map((subject) => this.keyOf(subject)));
    } catch {
      return null;
    }
  }

  private keyOf(subject: string): string {
    return `${this.options.prefix}:stamp:${subject}`;
  }
}
