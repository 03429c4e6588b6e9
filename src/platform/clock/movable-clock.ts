import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { AppConfig } from '../config/app-config.js';
import { Database } from '../database/database.js';
import { RedisConnections } from '../redis/redis-connections.js';
import { Clock } from './clock.js';

/**
 * The clock of the demo and of tests: the system's time plus an offset kept in `clock_control`, which `parley_now()`
 * reads as well, so that the application and its SQL functions see one time. A move is told to every process through
 * Redis. It exists only with CLOCK_MODE=movable, which production refuses at boot.
 */
@Injectable()
export class MovableClock extends Clock implements OnApplicationBootstrap, OnApplicationShutdown {
  private offsetMs = 0;
  /** Counts what may change the offset; an answer that something later has overtaken is old. */
  private changes = 0;
  private subscriber: Redis | undefined;

  constructor(
    private readonly database: Database,
    private readonly redis: RedisConnections,
    private readonly config: AppConfig,
  ) {
    super();
  }

  override now(): Date {
    return new Date(Date.now() + this.offsetMs);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.database.query('clock.install', INSTALL_MOVABLE_NOW);
    await this.reload();
    // Not awaited: without Redis the process starts too, and hears of moves when it is there.
    this.subscriber = this.redis.cache.duplicate({ maxRetriesPerRequest: null, commandTimeout: undefined });
    this.subscriber.on('error', () => undefined);
    for (const event of ['message', 'ready'])
      this.subscriber.on(event, () => void this.reload().catch(() => undefined));
    void this.subscriber.subscribe(this.channel).catch(() => undefined);
  }

  async onApplicationShutdown(): Promise<void> {
    this.subscriber?.disconnect();
  }

  /** Moves the time to `instant` for every process of this system; the time runs on from there. */
  async moveTo(instant: Date): Promise<Date> {
    const offsetMs = instant.getTime() - Date.now();
    await this.database.query('clock.move', 'UPDATE clock_control SET offset_ms = $1', [offsetMs]);
    this.changes += 1;
    this.offsetMs = offsetMs;
    await this.redis.cache.publish(this.channel, String(offsetMs)).catch(() => undefined);
    return this.now();
  }

  private get channel(): string {
    return `${this.config.REDIS_PREFIX}:clock`;
  }

  private async reload(): Promise<void> {
    const change = (this.changes += 1);
    const [row] = await this.database.query<{ offset_ms: string }>(
      'clock.read',
      'SELECT offset_ms FROM clock_control',
    );
    if (change === this.changes) this.offsetMs = Number(row?.offset_ms ?? 0);
  }
}

/** Under a lock: when two processes that start together replace a function at the same time, one of them fails. */
const INSTALL_MOVABLE_NOW = `
DO $install$ BEGIN
  PERFORM pg_advisory_xact_lock(4242000002);
  CREATE OR REPLACE FUNCTION parley_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
  $$ SELECT clock_timestamp() + (SELECT offset_ms FROM clock_control) * interval '1 millisecond' $$;
END $install$`;
