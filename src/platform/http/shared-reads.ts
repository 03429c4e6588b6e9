import { LRUCache } from 'lru-cache';

/**
 * Answers that many ask for at once, as they were at most `maxAgeMs` ago: one reads, the others wait for it. For what
 * is shown; nothing that moves credits or money is ever decided from here.
 */
export class SharedReads<T> {
  private readonly recent: LRUCache<string, Promise<T>>;

  constructor(options: { maxAgeMs: number; max: number }) {
    this.recent = new LRUCache({ max: options.max, ttl: options.maxAgeMs });
  }

  async getOrRead(key: string, read: () => Promise<T>): Promise<T> {
    const known = this.recent.get(key);
    if (known) return await known;
    const reading = read();
    this.recent.set(key, reading);
    reading.catch(() => this.recent.delete(key));
    return await reading;
  }

  /** What this process has just changed is seen at once by those who ask it. */
  clear(): void {
    this.recent.clear();
  }
}
