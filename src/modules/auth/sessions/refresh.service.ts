import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { Effect } from '../../../platform/http/answers.js';
import type { Caller } from '../../../platform/http/caller.decorator.js';
import { type Forgetful, HasHousekeeping } from '../../../platform/jobs/housekeeping.decorator.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { dpopErrors } from '../../../platform/security/dpop.errors.js';
import { AccessTokensService } from '../access-tokens.service.js';
import { authErrors } from '../auth.errors.js';
import { sessionFamilyRevoked } from '../auth.events.js';
import type { TokensDto } from '../dto/auth.dto.js';
import { SessionCache } from '../session-cache.js';
import { SessionsRepository } from '../sessions.repository.js';
import { hashToken, newRefreshToken, SessionsService } from '../sessions.service.js';
import {
  type Exchange,
  type ExchangedRow,
  type RefusedRow,
  RefreshTokensRepository,
} from './refresh-tokens.repository.js';
import { openAnswer, sealAnswer } from './sealed-answer.js';

/** How late Postgres hears of an activity: EXCHANGE allows for it too. */
const WRITTEN_WITHIN_SECONDS = 60;

/** Refresh tokens: single use, each the successor of the one before; together they are the session's family. */
@HasHousekeeping()
@Injectable()
export class RefreshService implements Forgetful {
  readonly forgets = [
    async (limit: number) => await this.repository.forgetAnswers(this.answeredAfter(), limit),
  ];

  constructor(
    private readonly repository: RefreshTokensRepository,
    private readonly sessions: SessionsService,
    private readonly sessionsRepository: SessionsRepository,
    private readonly cache: SessionCache,
    private readonly tokens: AccessTokensService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * A new pair for a refresh token, which is used up by it. A token that comes a second time ends its session: of two
   * who hold it one is a thief, and nothing tells which. Only a session that is bound to a key may ask again for seconds
   * and gets the same answer to the byte; a caller who shows a key for the first time binds the session to it.
   * Throws REFRESH_TOKEN_INVALID; DPOP_PROOF_INVALID when the session's key was not shown, which uses nothing up.
   */
  async refresh(refreshToken: string, caller: Caller): Promise<Effect<TokensDto>> {
    const hash = hashToken(refreshToken);
    const given =
      caller.jkt === null
        ? await this.exchange(hash)
        : await this.exchangeBound(refreshToken, hash, caller.jkt);
    return given ?? (await this.refuse(refreshToken, hash, caller.jkt));
  }

  private async exchange(hash: Buffer): Promise<Effect<TokensDto> | null> {
    const { exchange, next } = this.begin(hash, null);
    const session = await this.repository.exchange(exchange);
    return session && (await this.answer(session, next, exchange.now, null));
  }

  /** In a transaction: whoever asks at the same time waits for it and then finds the answer. */
  private async exchangeBound(
    refreshToken: string,
    hash: Buffer,
    jkt: string,
  ): Promise<Effect<TokensDto> | null> {
    const { exchange, next } = this.begin(hash, jkt);
    const { now } = exchange;
    const given = await this.unitOfWork.run(async (manager) => {
      const session = await this.repository.exchangeIn(manager, exchange);
      if (session === null) return null;
      const answer = await this.answer(session, next, now, jkt);
      const sealed = sealAnswer(refreshToken, session.id, JSON.stringify(answer));
      await this.repository.keepAnswer(manager, { sessionId: session.id, hash, sealed, now });
      return { answer, session };
    });
    // Other processes hold it as bound to nothing, and would refuse the new token.
    if (given?.session.jkt === null) await this.sessions.reread(given.session.id);
    return given && given.answer;
  }

  private begin(hash: Buffer, jkt: string | null): { exchange: Exchange; next: string } {
    const next = newRefreshToken();
    const { idle, refreshTokenSeconds } = this.rules.auth;
    const now = this.clock.now();
    const expiresAt = new Date(now.getTime() + refreshTokenSeconds * 1000);
    const { seconds: idleSeconds } = idle;
    const idleEnds = idle.policy === 'end';
    return {
      exchange: { hash, nextHash: hashToken(next), jkt, idleSeconds, idleEnds, now, expiresAt },
      next,
    };
  }

  private async answer(
    { id, user_id, role }: ExchangedRow,
    refreshToken: string,
    at: Date,
    jkt: string | null,
  ): Promise<Effect<TokensDto>> {
    const accessToken = await this.tokens.sign(user_id, id, role, jkt);
    return new Effect(
      { accessToken, refreshToken, expiresIn: this.rules.auth.accessTokenSeconds },
      at,
      false,
    );
  }

  private async refuse(refreshToken: string, hash: Buffer, jkt: string | null): Promise<Effect<TokensDto>> {
    const found = await this.repository.findRefused(hash, this.clock.now(), this.answeredAfter());
    if (!found?.live) throw authErrors.REFRESH_TOKEN_INVALID();
    if (found.used) {
      if (found.sealed !== null && found.jkt === jkt)
        return replay(openAnswer(refreshToken, found.session_id, found.sealed));
      await this.revoke(found);
    } else if (found.jkt !== null && found.jkt !== jkt) {
      throw dpopErrors.DPOP_PROOF_INVALID({ problem: jkt === null ? 'missing' : 'another key' });
    } else if (found.ends_idle || this.rules.auth.idle.policy === 'end') {
      await this.sessions.endIdle(found.session_id, WRITTEN_WITHIN_SECONDS);
    }
    throw authErrors.REFRESH_TOKEN_INVALID();
  }

  private async revoke({ session_id: sessionId, user_id: userId }: RefusedRow): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const session = { id: sessionId, userId };
      const ended = await this.sessionsRepository.end(manager, session, 'refresh_reused', this.clock.now());
      if (!ended) return;
      await this.outbox.publish(manager, sessionFamilyRevoked, { userId, sessionId });
      await this.audit.record(manager, {
        actorId: null,
        action: 'auth.session-family-revoked',
        subjectType: 'session',
        subjectId: sessionId,
        details: { userId },
      });
    });
    await this.cache.bury(sessionId);
  }

  private answeredAfter(): Date {
    return new Date(this.clock.now().getTime() - this.rules.auth.dpop.refreshReplaySeconds * 1000);
  }
}

function replay(text: string): Effect<TokensDto> {
  const { data, at } = JSON.parse(text) as { data: TokensDto; at: string };
  return new Effect(data, new Date(at), true);
}
