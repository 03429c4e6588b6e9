import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Caller } from '../../platform/http/caller.decorator.js';
import { type Forgetful, HasHousekeeping } from '../../platform/jobs/housekeeping.decorator.js';
import type { Role, Subject } from '../../platform/security/subject.js';
import { AccessTokensService } from './access-tokens.service.js';
import { authErrors } from './auth.errors.js';
import { SessionCache } from './session-cache.js';
import { type EndReason, SessionsRepository } from './sessions.repository.js';
import type { Proof } from './sign-in.types.js';

export interface TokenPair {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
}

/** Sessions: opened at sign-in, checked at every request, kept alive by single-use refresh tokens. */
@HasHousekeeping()
@Injectable()
export class SessionsService implements Forgetful {
  readonly forgets = [
    async (limit: number) => await this.repository.forgetTokens(this.clock.now(), limit),
    async (limit: number) => await this.repository.forgetSessions(this.clock.now(), limit),
  ];

  constructor(
    private readonly repository: SessionsRepository,
    private readonly cache: SessionCache,
    private readonly tokens: AccessTokensService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  async open(
    manager: EntityManager,
    user: { id: string; role: Role },
    proof: Proof,
    caller: Caller,
  ): Promise<TokenPair> {
    const id = newId();
    const { now, expiresAt } = this.lifetime();
    await this.repository.insert(manager, { id, userId: user.id, proof, caller, now, expiresAt });
    return await this.issue(manager, { sessionId: id, userId: user.id, role: user.role });
  }

  /**
   * A new pair for a refresh token, which is used up by it. A token that comes a second time ends its session: of two
   * who hold it one is a thief, and nothing tells which.
   */
  async refresh(refreshToken: string): Promise<TokenPair> {
    const hash = hashToken(refreshToken);
    const outcome = await this.unitOfWork.run(async (manager) => {
      const { now, expiresAt } = this.lifetime();
      const session = await this.repository.useRefreshToken(manager, hash, now);
      if (session?.status === 'active') {
        await this.repository.extend(manager, session.id, now, expiresAt);
        return await this.issue(manager, {
          sessionId: session.id,
          userId: session.user_id,
          role: session.role,
        });
      }
      const stolen = await this.repository.findSessionOfUsedToken(manager, hash);
      if (stolen !== null) await this.repository.end(manager, stolen, 'refresh_reused', now);
      return { ended: stolen };
    });
    if ('accessToken' in outcome) return outcome;
    if (outcome.ended !== null) await this.cache.bury(outcome.ended);
    throw authErrors.REFRESH_TOKEN_INVALID();
  }

  /** Whose session this is, if it lives: from Redis in one round trip, else from Postgres. */
  async find(sessionId: string): Promise<{ userId: string; role: Role } | null> {
    const cached = await this.cache.find(sessionId);
    if (cached === 'ended') return null;
    if (cached !== null) return cached;
    const row = await this.repository.findLive(sessionId, this.clock.now());
    if (!row || row.status !== 'active') return null;
    const session = { userId: row.user_id, role: row.role };
    await this.cache.keep(sessionId, session);
    return session;
  }

  /** Ends a session; its requests are refused from the next one on, in every API process. */
  async end(subject: Pick<Subject, 'sessionId'>, reason: EndReason): Promise<void> {
    await this.unitOfWork.run((manager) =>
      this.repository.end(manager, subject.sessionId, reason, this.clock.now()),
    );
    await this.cache.bury(subject.sessionId);
  }

  private async issue(manager: EntityManager, subject: Subject): Promise<TokenPair> {
    const refreshToken = randomBytes(32).toString('base64url');
    await this.repository.insertRefreshToken(manager, {
      hash: hashToken(refreshToken),
      sessionId: subject.sessionId,
      ...this.lifetime(),
    });
    const accessToken = await this.tokens.sign(subject.userId, subject.sessionId, subject.role);
    return { accessToken, refreshToken, expiresIn: this.rules.auth.accessTokenSeconds };
  }

  private lifetime(): { now: Date; expiresAt: Date } {
    const now = this.clock.now();
    return { now, expiresAt: new Date(now.getTime() + this.rules.auth.refreshTokenSeconds * 1000) };
  }
}

function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
