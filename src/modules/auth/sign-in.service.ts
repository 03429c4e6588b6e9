import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Caller } from '../../platform/http/caller.decorator.js';
import { DomainError } from '../../platform/http/domain-error.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { UsersService } from '../users/users.service.js';
import type { UserProfile } from '../users/users.types.js';
import { authErrors } from './auth.errors.js';
import type { AccountDto, SignedInDto } from './dto/auth.dto.js';
import { KnownDevicesService } from './lockout/known-devices.service.js';
import { PhonesRepository } from './otp/phones.repository.js';
import { SessionsService } from './sessions.service.js';
import type { Proof } from './sign-in.types.js';
import { ChallengesService } from './totp/challenges.service.js';
import { TotpRepository } from './totp/totp.repository.js';

/** What a proof led to: a session, or why there is none (yet). */
export type SignInOutcome = SignedInDto | DomainError;

/** Who is about to sign in, and by what. */
export interface SignIn {
  userId: string;
  proof: Proof;
  caller: Caller;
}

/** Confirms the proof and uses it up, once the user is locked; what it answers other than null is why it is refused. */
export type Confirm<Refusal> = () => Promise<Refusal | null>;

/**
 * Where every way in ends: it locks the user, lets the way in confirm its proof, refuses whom the operator banned, asks for the
 * second factor and opens the session. No way in opens a session by itself, so that what holds for all of them stands here.
 *
 * The user's row is locked before any other row of theirs. So a ban, another role, a reset or a closing, which lock it too,
 * end this session among the others, or have committed and are what this decides by.
 */
@Injectable()
export class SignInService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly challenges: ChallengesService,
    private readonly totp: TotpRepository,
    private readonly devices: KnownDevicesService,
    private readonly phones: PhonesRepository,
    private readonly audit: AuditService,
  ) {}

  /**
   * Joins the caller's transaction, which commits whatever comes of it: the proof is used up, and the question for the
   * second factor is to be found again. So a refusal is returned and not thrown; `answer` throws it after the commit.
   */
  async complete<Refusal = never>(
    manager: EntityManager,
    signIn: SignIn,
    confirm: Confirm<Refusal> = async () => null,
  ): Promise<SignInOutcome | Refusal> {
    return await this.decide(manager, signIn, confirm, async (user) => {
      const { proof, caller } = signIn;
      return (
        (await this.challenges.ask(manager, user.id, proof)) ??
        (await this.open(manager, user, { proof, secondFactor: false }, caller))
      );
    });
  }

  /** The same for who confirms the second factor; `signIn.proof` is the first. Joins the caller's transaction. */
  async completeWithSecondFactor<Refusal>(
    manager: EntityManager,
    signIn: SignIn,
    confirm: Confirm<Refusal>,
  ): Promise<SignInOutcome | Refusal> {
    const { proof, caller } = signIn;
    return await this.decide(manager, signIn, confirm, (user) =>
      this.open(manager, user, { proof, secondFactor: true }, caller),
    );
  }

  /** What the way in answers, once its transaction has committed. Throws BANNED, SECOND_FACTOR_REQUIRED. */
  answer(outcome: SignInOutcome): SignedInDto {
    if (outcome instanceof DomainError) throw outcome;
    return outcome;
  }

  /** The user's row before anything else, then the proof, then what the locked row says. */
  private async decide<Refusal>(
    manager: EntityManager,
    { userId }: SignIn,
    confirm: Confirm<Refusal>,
    admit: (user: UserProfile) => Promise<SignInOutcome>,
  ): Promise<SignInOutcome | Refusal> {
    const user = await this.users.lock(manager, userId);
    const refusal = await confirm();
    if (refusal !== null) return refusal;
    return user.status === 'active' ? await admit(user) : banned(user);
  }

  private async open(
    manager: EntityManager,
    user: UserProfile,
    proved: { proof: Proof; secondFactor: boolean },
    caller: Caller,
  ): Promise<SignedInDto> {
    const { sessionId, tokens } = await this.sessions.open(manager, user, proved.proof, caller);
    if (proved.secondFactor) await this.totp.markSession(manager, sessionId);
    const numberIndex = await this.phones.findIndex(manager, user.id);
    const deviceToken = await this.devices.remember(manager, { id: user.id, numberIndex }, caller, true);
    await this.audit.record(manager, {
      actorId: user.id,
      action: 'auth.signed-in',
      subjectType: 'session',
      subjectId: sessionId,
      details: proved,
    });
    return { ...tokens, deviceToken, user: toAccount(user) };
  }
}

function banned({ bannedUntil, banReason }: UserProfile): DomainError {
  return authErrors.BANNED({ until: bannedUntil?.toISOString() ?? null, reason: banReason });
}

function toAccount({ id, email, handle, displayName, role, closingAt }: UserProfile): AccountDto {
  const closing = closingAt === null ? {} : { closingAt: closingAt.toISOString() };
  return { id, email, handle, displayName, role, ...closing };
}
