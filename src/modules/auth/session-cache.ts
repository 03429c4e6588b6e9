import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { AppConfig } from '../../platform/config/app-config.js';
import { Rules } from '../../platform/config/rules.js';
import { PollLoop } from '../../platform/jobs/poll-loop.js';
import { RedisConnections } from '../../platform/redis/redis-connections.js';
import { ROLES, type Role } from '../../platform/security/subject.js';
import { SessionsRepository } from './sessions.repository.js';

export interface CachedSession {
  userId: string;
  role: Role;
}

const ENDED = 'ended';
const POLL_MS = 1000;
const PASS_MS = 60_000;
/** Clocks of several hosts differ. */
const SKEW_MS = 60_000;

/**
 * Live sessions in Redis, so that a request asks Postgres once an hour and not each time. An ended session leaves a
 * tombstone that outlives it: a slow reader who saw it alive in Postgres cannot put it back.
 *
 * A session may end while Redis cannot be told. So what Redis says is believed only after every session that Postgres
 * has ended lately has been buried there: at the start, after each lost connection, after each tombstone that could not
 * be written; until then sessions are read from Postgres. Once a minute the latest are buried again, for another
 * process may have been cut off from Redis alone.
 */
@Injectable()
export class SessionCache implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly loop = new PollLoop('SessionCache', POLL_MS, () => this.pass());
  private trusted = false;
  private doubts = 0;
  private nextPassAt = 0;

  constructor(
    private readonly redis: RedisConnections,
    private readonly repository: SessionsRepository,
    private readonly clock: Clock,
    private readonly config: AppConfig,
    private readonly rules: Rules,
  ) {}

  onApplicationBootstrap(): void {
    this.redis.cache.on('close', () => this.doubt());
    this.redis.cache.on('ready', () => this.loop.wake());
    this.loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** The session, `ended`, or null when Redis does not know, is away or is not believed. */
  async find(sessionId: string): Promise<CachedSession | typeof ENDED | null> {
    if (!this.usable) return null;
    const value = await this.redis.cache.get(this.key(sessionId)).catch(() => null);
    if (value === null || value === ENDED) return value;
    const [userId, role] = value.split('|');
    return userId && ROLES.includes(role as Role) ? { userId, role: role as Role } : null;
  }

  async keep(sessionId: string, session: CachedSession): Promise<void> {
    if (!this.usable) return;
    await this.redis.cache
      .set(
        this.key(sessionId),
        `${session.userId}|${session.role}`,
        'EX',
        this.rules.auth.sessionCacheSeconds,
        'NX',
      )
      .catch(() => undefined);
  }

  /** Tells every process that the session has ended; call it once that is committed. Without Redis it is told later. */
  async bury(sessionId: string): Promise<void> {
    if (!this.redis.cacheReady) return this.doubt();
    await this.tell(sessionId).catch(() => this.doubt());
  }

  private get usable(): boolean {
    return this.trusted && this.redis.cacheReady;
  }

  private doubt(): void {
    this.trusted = false;
    this.doubts += 1;
    this.loop.wake();
  }

  /** Buries what has ended lately; not trusted, everything that Redis may still hold alive. */
  private async pass(): Promise<boolean> {
    if (!this.redis.cacheReady || (this.trusted && performance.now() < this.nextPassAt)) return false;
    const { doubts } = this;
    const reachMs = this.trusted ? 2 * PASS_MS : this.rules.auth.sessionCacheSeconds * 1000;
    const since = new Date(this.clock.now().getTime() - reachMs - SKEW_MS);
    const ended = await this.repository.endedSince(since);
    await Promise.all(ended.map((sessionId) => this.tell(sessionId)));
    this.trusted = doubts === this.doubts;
    this.nextPassAt = performance.now() + PASS_MS;
    return !this.trusted;
  }

  private async tell(sessionId: string): Promise<void> {
    await this.redis.cache.set(this.key(sessionId), ENDED, 'EX', this.rules.auth.refreshTokenSeconds);
  }

  private key(sessionId: string): string {
    return `${this.config.REDIS_PREFIX}:session:${sessionId}`;
  }
}
