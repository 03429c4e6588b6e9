import { Injectable } from '@nestjs/common';
import { ClsService } from 'nestjs-cls';
import type { EntityManager } from 'typeorm';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Caller } from '../../platform/http/caller.decorator.js';
import { DomainError } from '../../platform/http/domain-error.js';
import { UsersService } from '../users/users.service.js';
import { authErrors } from './auth.errors.js';
import { sessionOpened } from './auth.events.js';
import type { AccountDto, SignedInDto } from './dto/auth.dto.js';
import { KnownDevicesService } from './lockout/known-devices.service.js';
import type { Attempt } from './lockout/lockout.service.js';
import { PhonesRepository } from './otp/phones.repository.js';
import { deviceName } from './sessions/device-name.js';
import { type NewSession, SessionsService } from './sessions.service.js';
import { type SignInRow, SignInRepository, type SignInValues } from './sign-in.repository.js';
import type { Proof } from './sign-in.types.js';
import { ChallengesService } from './totp/challenges.service.js';

/** Who is about to sign in, and by what. */
export interface SignIn {
  userId: string;
  proof: Proof;
  caller: Caller;
}

/** A password that was found right, to be confirmed where the session is opened. */
export interface ComparedPassword {
  compared: string;
  /** The same hashed under the parameters of now; null when it is already. */
  renewed: string | null;
  attempt: Attempt;
  /** The user's telephone number as it was read along with the password. */
  numberIndex: Buffer | null;
}

/** A session that was opened, and whose it is. */
interface Opened {
  session: NewSession;
  deviceToken: string;
  account: AccountDto;
  jkt: string | null;
}

/** What a proof led to: a session, or why there is none (yet). `answer` tells it, once it is committed. */
export type SignInOutcome = Opened | DomainError;

/** Confirms the proof and uses it up, once the user is locked; what it answers other than null is why it is refused. */
export type Confirm<Refusal> = () => Promise<Refusal | null>;

/** What was proved beside `SignIn.proof`. */
type Proved = Pick<SignInValues, 'secondFactor' | 'compared' | 'renewed' | 'attempt'>;

const NOTHING_ELSE: Proved = { secondFactor: false, compared: null, renewed: null, attempt: null };

/**
 * Where every way in ends: it locks the user, lets the way in confirm its proof, refuses whom the operator banned, asks for the
 * second factor and opens the session. No way in opens a session by itself: what holds for all of them stands in the SQL
 * function sign_in, which locks the user's row before it looks at anything.
 *
 * The user's row is locked before any other row of theirs. So a ban, another role, a reset or a closing, which lock it too,
 * end this session among the others, or have committed and are what this decides by.
 */
@Injectable()
export class SignInService {
  constructor(
    private readonly repository: SignInRepository,
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly challenges: ChallengesService,
    private readonly devices: KnownDevicesService,
    private readonly phones: PhonesRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly cls: ClsService,
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
    return await this.decide(manager, signIn, NOTHING_ELSE, confirm);
  }

  /** The same for who confirms the second factor; `signIn.proof` is the first. Joins the caller's transaction. */
  async completeWithSecondFactor<Refusal>(
    manager: EntityManager,
    signIn: SignIn,
    confirm: Confirm<Refusal>,
  ): Promise<SignInOutcome | Refusal> {
    return await this.decide(manager, signIn, { ...NOTHING_ELSE, secondFactor: true }, confirm);
  }

  /**
   * The same for who has given the right password, as a rule in one round trip, which also finishes the attempt. A password
   * that was changed since it was compared opens no session: those it had opened have just been ended.
   */
  async completeByPassword(
    signIn: SignIn,
    { numberIndex, ...password }: ComparedPassword,
  ): Promise<SignInOutcome> {
    const proved = { ...password, secondFactor: false };
    const attempt = this.begin(signIn, proved, numberIndex);
    const row = await this.repository.signIn(attempt.values);
    if (row.outcome === 'number' || row.outcome === 'full')
      return await this.unitOfWork.run((manager) =>
        this.decide<never>(manager, signIn, proved, async () => null),
      );
    return attempt.outcome(row);
  }

  /** What the way in answers, once its transaction has committed. Throws BANNED, SECOND_FACTOR_REQUIRED, INVALID_CREDENTIALS. */
  async answer(outcome: SignInOutcome): Promise<SignedInDto> {
    if (outcome instanceof DomainError) throw outcome;
    const { session, deviceToken, account, jkt } = outcome;
    const tokens = await this.sessions.tokensOf(session, { userId: account.id, role: account.role, jkt });
    return { ...tokens, deviceToken, user: account };
  }

  /** The user's row before anything else, then the proof, then what the locked row says. */
  private async decide<Refusal>(
    manager: EntityManager,
    signIn: SignIn,
    proved: Proved,
    confirm: Confirm<Refusal>,
  ): Promise<SignInOutcome | Refusal> {
    const { id } = await this.users.lock(manager, signIn.userId);
    const refusal = await confirm();
    if (refusal !== null) return refusal;
    const attempt = this.begin(signIn, proved, await this.phones.findIndex(manager, id));
    let row = await this.repository.signInWithin(manager, attempt.values);
    if (row.outcome === 'full') {
      await this.sessions.endOldest(manager, id);
      row = await this.repository.signInWithin(manager, attempt.values);
    }
    return attempt.outcome(row);
  }

  /** All that may be needed, before it is known what will be: so one call does. */
  private begin(
    { userId, proof, caller }: SignIn,
    proved: Proved,
    numberIndex: Buffer | null,
  ): { values: SignInValues; outcome: (row: SignInRow) => SignInOutcome } {
    const session = this.sessions.begin();
    const challenge = this.challenges.begin();
    const { token: deviceToken, devices } = this.devices.learn({ id: userId, numberIndex }, caller);
    const values = {
      ...proved,
      userId,
      proof,
      session,
      userAgent: caller.userAgent,
      device: deviceName(caller.userAgent),
      address: caller.address,
      fingerprint: caller.fingerprint,
      jkt: caller.jkt,
      numberIndex,
      knownDevices: devices,
      challenge,
      event: { id: newId(), topic: sessionOpened.topic },
      auditId: newId(),
      requestId: this.cls.isActive() ? this.cls.getId() : null,
    };
    const outcome = (row: SignInRow): SignInOutcome => {
      if (row.outcome === 'refused') return authErrors.INVALID_CREDENTIALS();
      if (row.outcome === 'banned') return banned(row);
      if (row.outcome === 'challenge') return challenge.required();
      if (row.outcome !== 'opened') throw new Error(`sign_in told ${row.outcome} of a user who was locked`);
      return { session, deviceToken, account: toAccount(userId, row), jkt: caller.jkt };
    };
    return { values, outcome };
  }
}

function banned({ banned_until, ban_reason }: SignInRow): DomainError {
  return authErrors.BANNED({ until: banned_until?.toISOString() ?? null, reason: ban_reason });
}

function toAccount(id: string, row: SignInRow): AccountDto {
  const { email, handle, display_name: displayName, role, closing_at } = row;
  const closing = closing_at === null ? {} : { closingAt: closing_at.toISOString() };
  return { id, email, handle, displayName, role, ...closing };
}
