import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { Clock } from '../../platform/clock/clock.js';
import { AppConfig } from '../../platform/config/app-config.js';
import { Rules } from '../../platform/config/rules.js';
import { PollLoop } from '../../platform/jobs/poll-loop.js';
import { Batch } from '../../platform/redis/batch.js';
import { RedisConnections } from '../../platform/redis/redis-connections.js';
import { ROLES, type Role, type Subject } from '../../platform/security/subject.js';
import { BURY, KEEP, TOUCH } from './sessions/session-scripts.js';
import { SessionsRepository } from './sessions.repository.js';

export interface CachedSession extends Omit<Subject, 'sessionId'> {
  /** Thumbprint of the key that it is bound to. */
  readonly jkt: string | null;
  /** Seconds without activity after which it is idle. */
  readonly idleSeconds: number;
  /** Its last activity, in seconds since the epoch. */
  readonly lastUsedAt: number;
}

type CachingRedis = Redis & {
  parleyTouchSessions(count: number, ...keysAndSeconds: string[]): Promise<unknown>;
  parleyKeepSession(key: string, ...fields: (string | number)[]): Promise<unknown>;
  parleyBurySession(key: string, channel: string, sessionId: string, seconds: number): Promise<unknown>;
};

const ENDED = 'ended';
/** Activities are told to Redis together, this late. */
const TOUCH_MS = 200;
/** In one command, which nothing else passes: a millisecond or less. */
const TOUCHES = 500;
const POLL_MS = 1000;
const PASS_MS = 60_000;
/** Tombstones that are written at once: a command waits for Redis no longer than a second. */
const BURIALS = 500;
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
  private readonly cache: CachingRedis;
  private readonly looks = new Batch((keys: readonly string[]) => this.cache.mget(...keys));
  /** Last activities that Redis is yet to be told, by key. */
  private touched = new Map<string, number>();
  private trusted = false;
  private doubts = 0;
  private nextPassAt = 0;

  constructor(
    private readonly redis: RedisConnections,
    private readonly repository: SessionsRepository,
    private readonly clock: Clock,
    private readonly config: AppConfig,
    private readonly rules: Rules,
  ) {
    redis.cache.defineCommand('parleyTouchSessions', { lua: TOUCH });
    redis.cache.defineCommand('parleyKeepSession', { numberOfKeys: 1, lua: KEEP });
    redis.cache.defineCommand('parleyBurySession', { numberOfKeys: 1, lua: BURY });
    this.cache = redis.cache as CachingRedis;
  }

  onApplicationBootstrap(): void {
    this.redis.cache.on('close', () => this.doubt());
    this.redis.cache.on('ready', () => this.loop.wake());
    this.loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    await this.tellTouched();
  }

  /** Channel on which the id of every ended session is told, once or more often, so that its sockets can be dropped. */
  get endedChannel(): string {
    return `${this.config.REDIS_PREFIX}:sessions:ended`;
  }

  /**
   * The session as it was before this request, `ended`, or null when Redis does not know, is away or is not believed. An
   * `active` request of a session that is not idle becomes its last activity. `now` in seconds since the epoch.
   */
  find(sessionId: string, now: number, active: boolean): Promise<CachedSession | typeof ENDED | null> {
    if (!this.usable) return Promise.resolve(null);
    const key = this.key(sessionId);
    return this.looks.add(key).then(
      (text) => this.seen(key, read(text), now, active),
      () => null,
    );
  }

  private seen(
    key: string,
    found: CachedSession | typeof ENDED | null,
    now: number,
    active: boolean,
  ): CachedSession | typeof ENDED | null {
    if (found === null || found === ENDED) return found;
    const lastUsedAt = Math.max(found.lastUsedAt, this.touched.get(key) ?? 0);
    const since = now - lastUsedAt;
    if (active && since > 0 && since <= found.idleSeconds) this.touch(key, now);
    return lastUsedAt === found.lastUsedAt ? found : { ...found, lastUsedAt };
  }

  private touch(key: string, now: number): void {
    if (this.touched.size === 0) setTimeout(() => void this.tellTouched(), TOUCH_MS).unref();
    this.touched.set(key, now);
  }

  /** What is lost here is noted by the next request, and in Postgres within a minute. */
  private async tellTouched(): Promise<void> {
    const touched = [...this.touched];
    this.touched = new Map();
    for (let from = 0; from < touched.length; from += TOUCHES) {
      const part = touched.slice(from, from + TOUCHES);
      const seconds = part.map(([, used]) => digits(used));
      await this.cache
        .parleyTouchSessions(part.length, ...part.map(([key]) => key), ...seconds)
        .catch(() => undefined);
    }
  }

  /** Keeps what was read from Postgres, unless somebody was faster. */
  async keep(sessionId: string, session: CachedSession): Promise<void> {
    await this.put(sessionId, session, 0);
  }

  /** Keeps what has changed, in place of what was; an ended session stays ended, and an activity is never taken back. */
  async replace(sessionId: string, session: CachedSession): Promise<void> {
    await this.put(sessionId, session, 1);
  }

  /** Tells every process that sessions have ended; call it once that is committed. Without Redis they are told later. */
  async bury(...sessionIds: string[]): Promise<void> {
    if (!this.redis.cacheReady) return this.doubt();
    await this.tellAll(sessionIds).catch(() => this.doubt());
  }

  private get usable(): boolean {
    return this.trusted && this.redis.cacheReady;
  }

  private async put(sessionId: string, session: CachedSession, replace: 0 | 1): Promise<void> {
    if (!this.usable) return;
    const { userId, role, jkt, idleSeconds, lastUsedAt, birthDate, ageVerified, checkedAt } = session;
    const rules = `${birthDate}|${Number(ageVerified)}|${session.checkMinutes ?? ''}|${Number(session.endsIdle)}`;
    const rest = `${idleSeconds}|${userId}|${role}|${jkt ?? ''}|${rules}|${checkedAt.getTime()}`;
    const seconds = this.rules.auth.sessionCacheSeconds;
    await this.cache
      .parleyKeepSession(this.key(sessionId), digits(lastUsedAt), rest, seconds, replace)
      .catch(() => undefined);
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
    await this.tellAll(ended);
    this.trusted = doubts === this.doubts;
    this.nextPassAt = performance.now() + PASS_MS;
    return !this.trusted;
  }

  private async tellAll(sessionIds: readonly string[]): Promise<void> {
    for (let from = 0; from < sessionIds.length; from += BURIALS)
      await Promise.all(sessionIds.slice(from, from + BURIALS).map((sessionId) => this.tell(sessionId)));
  }

  private async tell(sessionId: string): Promise<void> {
    const seconds = this.rules.auth.refreshTokenSeconds;
    await this.cache.parleyBurySession(this.key(sessionId), this.endedChannel, sessionId, seconds);
  }

  private key(sessionId: string): string {
    return `${this.config.REDIS_PREFIX}:session:${sessionId}`;
  }
}

function digits(seconds: number): string {
  return String(Math.trunc(seconds)).padStart(10, '0');
}

function read(text: string | null): CachedSession | typeof ENDED | null {
  if (text === null) return null;
  const [
    lastUsedAt,
    idleSeconds,
    userId,
    role,
    jkt,
    birthDate,
    ageVerified,
    checkMinutes,
    endsIdle,
    checkedAt,
  ] = text.split('|');
  if (idleSeconds === ENDED) return ENDED;
  // Of an older release: Postgres knows the rest.
  if (!checkedAt || !userId || !birthDate || !ROLES.includes(role as Role)) return null;
  return {
    userId,
    role: role as Role,
    jkt: jkt || null,
    idleSeconds: Number(idleSeconds),
    lastUsedAt: Number(lastUsedAt),
    birthDate,
    ageVerified: ageVerified === '1',
    checkedAt: new Date(Number(checkedAt)),
    checkMinutes: checkMinutes ? Number(checkMinutes) : null,
    endsIdle: endsIdle === '1',
  };
}
