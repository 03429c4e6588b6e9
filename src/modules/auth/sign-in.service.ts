import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Caller } from '../../platform/http/caller.decorator.js';
import { DomainError } from '../../platform/http/domain-error.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import type { UserProfile } from '../users/users.types.js';
import { authErrors } from './auth.errors.js';
import type { AccountDto, SignedInDto } from './dto/auth.dto.js';
import { LockoutService } from './lockout/lockout.service.js';
import { SessionsService } from './sessions.service.js';
import type { Proof } from './sign-in.types.js';
import { ChallengesService } from './totp/challenges.service.js';
import { TotpRepository } from './totp/totp.repository.js';

/** What a proof led to: a session, or why there is none (yet). */
export type SignInOutcome = SignedInDto | DomainError;

/**
 * Where every way in ends, once it has proved who asks: it refuses whom the operator banned, asks for the second factor and
 * opens the session. No way in opens a session by itself, so that what holds for all of them stands here.
 */
@Injectable()
export class SignInService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly challenges: ChallengesService,
    private readonly totp: TotpRepository,
    private readonly lockout: LockoutService,
    private readonly audit: AuditService,
  ) {}

  /**
   * Joins the caller's transaction, which commits whatever comes of it: the proof is used up, and the question for the
   * second factor is to be found again. So a refusal is returned and not thrown; `answer` throws it after the commit.
   */
  async complete(
    manager: EntityManager,
    user: UserProfile,
    proof: Proof,
    caller: Caller,
  ): Promise<SignInOutcome> {
    if (user.status !== 'active') return banned(user);
    return (
      (await this.challenges.ask(manager, user.id, proof)) ??
      (await this.open(manager, user, { proof, secondFactor: false }, caller))
    );
  }

  /** The same, once the second factor was proved too; `proof` is the first. Joins the caller's transaction. */
  async completeWithSecondFactor(
    manager: EntityManager,
    user: UserProfile,
    proof: Proof,
    caller: Caller,
  ): Promise<SignInOutcome> {
    if (user.status !== 'active') return banned(user);
    return await this.open(manager, user, { proof, secondFactor: true }, caller);
  }

  /** What the way in answers, once its transaction has committed. Throws BANNED, SECOND_FACTOR_REQUIRED. */
  answer(outcome: SignInOutcome): SignedInDto {
    if (outcome instanceof DomainError) throw outcome;
    return outcome;
  }

  private async open(
    manager: EntityManager,
    user: UserProfile,
    proved: { proof: Proof; secondFactor: boolean },
    caller: Caller,
  ): Promise<SignedInDto> {
    const { sessionId, tokens } = await this.sessions.open(manager, user, proved.proof, caller);
    if (proved.secondFactor) await this.totp.markSession(manager, sessionId);
    await this.lockout.remember(manager, user.id, caller);
    await this.audit.record(manager, {
      actorId: user.id,
      action: 'auth.signed-in',
      subjectType: 'session',
      subjectId: sessionId,
      details: proved,
    });
    return { ...tokens, user: toAccount(user) };
  }
}

function banned({ bannedUntil, banReason }: UserProfile): DomainError {
  return authErrors.BANNED({ until: bannedUntil?.toISOString() ?? null, reason: banReason });
}

function toAccount({ id, email, handle, displayName, role, closingAt }: UserProfile): AccountDto {
  const closing = closingAt === null ? {} : { closingAt: closingAt.toISOString() };
  return { id, email, handle, displayName, role, ...closing };
}
