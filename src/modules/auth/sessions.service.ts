import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { afterCommit } from '../../platform/database/after-commit.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { type Forgetful, HasHousekeeping } from '../../platform/jobs/housekeeping.decorator.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import type { Role, Subject } from '../../platform/security/subject.js';
import { AccessTokensService } from './access-tokens.service.js';
import { type CachedSession, SessionCache } from './session-cache.js';
import { RefreshTokensRepository } from './sessions/refresh-tokens.repository.js';
import { SessionActivity } from './sessions/session-activity.js';
import { type EndReason, type SessionRow, SessionsRepository } from './sessions.repository.js';

export interface TokenPair {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
}

/** A session that is not opened yet. */
export interface NewSession {
  readonly id: string;
  readonly refreshToken: string;
  readonly tokenHash: Buffer;
  readonly now: Date;
  readonly expiresAt: Date;
  /** How many its user may have, this one among them. */
  readonly kept: number;
}

/** A live session as a request finds it. */
export interface LiveSession extends CachedSession {
  /** Nobody has used it for longer than is allowed. */
  readonly idle: boolean;
}

/** Sessions: begun at sign-in, looked up at every request, ended. */
@HasHousekeeping()
@Injectable()
export class SessionsService implements Forgetful {
  readonly forgets = [
    async (limit: number) => await this.refreshTokens.forgetTokens(this.clock.now(), limit),
    async (limit: number) => await this.repository.forgetSessions(this.clock.now(), limit),
  ];

  constructor(
    private readonly repository: SessionsRepository,
    private readonly refreshTokens: RefreshTokensRepository,
    private readonly cache: SessionCache,
    private readonly activity: SessionActivity,
    private readonly tokens: AccessTokensService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** A session to be opened, which sign_in does: no way in opens one by itself. */
  begin(): NewSession {
    const now = this.clock.now();
    const refreshToken = newRefreshToken();
    const { refreshTokenSeconds, sessionsPerUser: kept } = this.rules.auth;
    const expiresAt = new Date(now.getTime() + refreshTokenSeconds * 1000);
    return { id: newId(), refreshToken, tokenHash: hashToken(refreshToken), now, expiresAt, kept };
  }

  /** The tokens of a session that was opened; bound to the key that was shown, if any. */
  async tokensOf(
    { id, refreshToken }: NewSession,
    user: { userId: string; role: Role; jkt: string | null },
  ): Promise<TokenPair> {
    const accessToken = await this.tokens.sign(user.userId, id, user.role, user.jkt);
    return { accessToken, refreshToken, expiresIn: this.rules.auth.accessTokenSeconds };
  }

  /**
   * The session, if it lives: from Redis in one round trip, else from Postgres. When somebody acts in it and it is not
   * idle, this is its last activity.
   */
  async find(sessionId: string, active: boolean): Promise<LiveSession | null> {
    const now = this.nowSeconds();
    const session =
      (await this.cache.find(sessionId, now, active)) ?? (await this.load(sessionId, now, active));
    if (session === null || session === 'ended') return null;
    const idle = now - session.lastUsedAt > session.idleSeconds;
    if (active && !idle) this.activity.note(sessionId, now);
    // Spelled out: a spread costs, at every request.
    return {
      userId: session.userId,
      role: session.role,
      jkt: session.jkt,
      idleSeconds: session.idleSeconds,
      lastUsedAt: session.lastUsedAt,
      birthDate: session.birthDate,
      ageVerified: session.ageVerified,
      checkedAt: session.checkedAt,
      checkMinutes: session.checkMinutes,
      endsIdle: session.endsIdle,
      idle,
    };
  }

  /** The session as Postgres has it, which is put right in Redis: for who would refuse it by what Redis says. */
  async reread(sessionId: string): Promise<LiveSession | null> {
    const now = this.nowSeconds();
    const row = await this.repository.findLive(sessionId, this.clock.now());
    if (row?.status !== 'active') return null;
    const session = this.toSession(row);
    await this.cache.replace(sessionId, session);
    return { ...session, idle: now - session.lastUsedAt > session.idleSeconds };
  }

  /** Ends a session; its requests are refused from the next one on, in every API process. False: it is not theirs. */
  async end(subject: Pick<Subject, 'sessionId' | 'userId'>, reason: EndReason): Promise<boolean> {
    const { sessionId: id, userId } = subject;
    const ended = await this.unitOfWork.run(async (manager) => {
      if (!(await this.repository.end(manager, { id, userId }, reason, this.clock.now()))) return false;
      await this.audit.record(manager, {
        actorId: reason === 'idle' ? null : userId,
        action: 'auth.session-ended',
        subjectType: 'session',
        subjectId: id,
        details: { reason, userId },
      });
      return true;
    });
    if (ended) await this.cache.bury(id);
    return ended;
  }

  /**
   * Ends a session that has been idle for `graceSeconds` longer than is allowed, by Postgres; whether it has ended. Redis may
   * have lost its last activity, and what another process noted is written within a minute.
   */
  async endIdle(sessionId: string, graceSeconds = 0): Promise<boolean> {
    const session = await this.reread(sessionId);
    if (session === null) return true;
    if (this.nowSeconds() - session.lastUsedAt <= session.idleSeconds + graceSeconds) return false;
    await this.end({ sessionId, userId: session.userId }, 'idle');
    return true;
  }

  /**
   * Ends the sessions of a user, but for `except`, in the caller's transaction; how many. Once it has committed every API
   * process refuses them. The caller has locked the user first (`UsersService.lock` or the like), as every sign-in does:
   * one that runs at the same time is among those that end, or meets what they end for.
   */
  async endAll(
    manager: EntityManager,
    userId: string,
    reason: EndReason,
    except: string | null = null,
  ): Promise<number> {
    const ids = await this.repository.endAll(manager, userId, reason, this.clock.now(), except);
    this.buryAfterCommit(manager, ids);
    return ids.length;
  }

  /**
   * Makes room for one more session, so that ending all of them stays quick: of `sessionsPerUser` the oldest end. Joins the
   * caller's transaction, which has locked the user.
   */
  async endOldest(manager: EntityManager, userId: string): Promise<void> {
    const kept = this.rules.auth.sessionsPerUser - 1;
    const ids = await this.repository.endOldest(manager, userId, kept, this.clock.now());
    await this.audit.record(manager, {
      actorId: userId,
      action: 'auth.sessions-ended',
      subjectType: 'user',
      subjectId: userId,
      details: { sessions: ids.length, reason: 'too_many' },
    });
    this.buryAfterCommit(manager, ids);
  }

  /** The user of an idle session has proved themselves again, by whatever way: it may be used in full. */
  async reauthenticated({ sessionId }: Pick<Subject, 'sessionId'>): Promise<void> {
    await this.repository.noteProof(sessionId, this.clock.now());
    this.activity.note(sessionId, this.nowSeconds());
    await this.reread(sessionId);
  }

  /** Tells Redis what has changed of all sessions of a user; after the commit. */
  async rereadAll(userId: string): Promise<void> {
    const rows = await this.repository.findAllLive(userId, this.clock.now());
    await Promise.all(rows.map((row) => this.cache.replace(row.id, this.toSession(row))));
  }

  /** Named by what it buries: of two callbacks of one name only the later would run. */
  private buryAfterCommit(manager: EntityManager, ids: string[]): void {
    const [first] = ids;
    if (first !== undefined)
      afterCommit(manager, `sessions.bury:${first}`, () => void this.cache.bury(...ids));
  }

  private async load(sessionId: string, now: number, active: boolean): Promise<CachedSession | null> {
    const row = await this.repository.findLive(sessionId, this.clock.now());
    if (row?.status !== 'active') return null;
    const session = this.toSession(row);
    const used = active && now - session.lastUsedAt <= session.idleSeconds;
    await this.cache.keep(
      sessionId,
      used ? { ...session, lastUsedAt: Math.max(now, session.lastUsedAt) } : session,
    );
    return session;
  }

  private toSession(row: SessionRow): CachedSession {
    const { seconds } = this.rules.auth.idle;
    const written = Math.floor(row.last_used_at.getTime() / 1000);
    return {
      userId: row.user_id,
      role: row.role,
      jkt: row.jkt,
      idleSeconds: Math.min(row.idle_seconds ?? seconds, seconds),
      lastUsedAt: Math.max(written, this.activity.latest(row.id)),
      birthDate: row.birth_date,
      ageVerified: row.age_verified,
      checkedAt: row.checked_at,
      checkMinutes: row.check_minutes,
      endsIdle: row.ends_idle,
    };
  }

  private nowSeconds(): number {
    return Math.floor(this.clock.now().getTime() / 1000);
  }
}

/** Who asks by this session. */
export function subjectOf(sessionId: string, session: LiveSession): Subject {
  const { userId, role, birthDate, ageVerified, checkedAt, checkMinutes, endsIdle } = session;
  return { userId, sessionId, role, birthDate, ageVerified, checkedAt, checkMinutes, endsIdle };
}

export function newRefreshToken(): string {
  return randomBytes(32).toString('base64url');
}

export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
