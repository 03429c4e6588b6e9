import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../platform/config/app-config.js';
import { Rules } from '../../platform/config/rules.js';
import { RedisConnections } from '../../platform/redis/redis-connections.js';
import { ROLES, type Role } from '../../platform/security/subject.js';

export interface CachedSession {
  userId: string;
  role: Role;
}

const ENDED = 'ended';

/**
 * Live sessions in Redis, so that a request asks Postgres once an hour and not each time. An ended session leaves a
 * tombstone that outlives it: a slow reader who saw it alive in Postgres cannot put it back.
 */
@Injectable()
export class SessionCache {
  constructor(
    private readonly redis: RedisConnections,
    private readonly config: AppConfig,
    private readonly rules: Rules,
  ) {}

  /** The session, `ended`, or null when Redis does not know or is away. */
  async find(sessionId: string): Promise<CachedSession | typeof ENDED | null> {
    if (!this.redis.cacheReady) return null;
    const value = await this.redis.cache.get(this.key(sessionId)).catch(() => null);
    if (value === null || value === ENDED) return value;
    const [userId, role] = value.split('|');
    return userId && ROLES.includes(role as Role) ? { userId, role: role as Role } : null;
  }

  async keep(sessionId: string, session: CachedSession): Promise<void> {
    if (!this.redis.cacheReady) return;
    await this.redis.cache
      .set(this.key(sessionId), `${session.userId}|${session.role}`, 'EX', this.rules.auth.sessionCacheSeconds, 'NX')
      .catch(() => undefined);
  }

  async bury(sessionId: string): Promise<void> {
    await this.redis.cache.set(this.key(sessionId), ENDED, 'EX', this.rules.auth.refreshTokenSeconds);
  }

  private key(sessionId: string): string {
    return `${this.config.REDIS_PREFIX}:session:${sessionId}`;
  }
}
