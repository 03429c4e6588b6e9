import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Caller } from '../../../platform/http/caller.decorator.js';
import { type Forgetful, HasHousekeeping } from '../../../platform/jobs/housekeeping.decorator.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import { UsersService } from '../../users/users.service.js';
import { hashOfRecoveryCode, newRecoveryCode } from '../domain/recovery-codes.js';
import type { SignedInDto } from '../dto/auth.dto.js';
import { LockoutService } from '../lockout/lockout.service.js';
import { type SignInOutcome, SignInService } from '../sign-in.service.js';
import { type Challenge, ChallengesService } from './challenges.service.js';
import type { RecoveryCodesDto, TotpSetUpDto, VerifySecondFactorDto } from './dto/totp.dto.js';
import { SecondFactorsService } from './second-factors.service.js';
import { newTotpSecret, totpUri } from './totp-codes.js';
import { totpErrors } from './totp.errors.js';
import { TotpRepository } from './totp.repository.js';

const RECOVERY_CODES = 10;
const DAY_MS = 86_400_000;

/** The second factor: set up, used to sign in, turned off. Every guess at a code goes through the lock-out. */
@HasHousekeeping()
@Injectable()
export class TotpService implements Forgetful {
  readonly forgets = [
    async (limit: number) =>
      await this.repository.deleteUnconfirmed(limit, new Date(this.clock.now().getTime() - DAY_MS)),
  ];

  constructor(
    private readonly repository: TotpRepository,
    private readonly factors: SecondFactorsService,
    private readonly challenges: ChallengesService,
    private readonly lockout: LockoutService,
    private readonly signIn: SignInService,
    private readonly users: UsersService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** A secret that asks for nothing yet; one begun before is replaced. Throws TOTP_ALREADY_ON. */
  async begin({ userId }: Subject): Promise<TotpSetUpDto> {
    const { handle } = await this.users.get(userId);
    const secret = newTotpSecret();
    const encrypted = this.factors.encrypt(userId, secret);
    const begun = await this.unitOfWork.run((manager) =>
      this.repository.begin(manager, userId, encrypted, this.clock.now()),
    );
    if (!begun) throw totpErrors.TOTP_ALREADY_ON();
    return { secret, uri: totpUri(secret, handle) };
  }

  /** The first code turns it on, and this session counts as one with it. Throws TOTP_NOT_ON, TOTP_ALREADY_ON, TOTP_CODE_WRONG. */
  async confirm(subject: Subject, code: string, caller: Caller): Promise<RecoveryCodesDto> {
    const { userId, sessionId } = subject;
    return await this.tryCode(subject, caller, async (manager) => {
      const totp = await this.repository.lock(manager, userId);
      if (!totp) throw totpErrors.TOTP_NOT_ON();
      if (totp.confirmed) throw totpErrors.TOTP_ALREADY_ON();
      const step = this.factors.stepOf(userId, code, totp);
      if (step === null) return null;
      await this.repository.confirm(manager, userId, step, this.clock.now());
      await this.repository.markSession(manager, sessionId);
      await this.tell(manager, userId, 'auth.second-factor-on');
      return await this.newRecoveryCodes(manager, userId);
    });
  }

  /** Turns it off; no session counts as one with it any more. Throws TOTP_NOT_ON, TOTP_CODE_WRONG. */
  async turnOff(subject: Subject, code: string, caller: Caller): Promise<void> {
    await this.withProof(subject, code, caller, async (manager) => {
      await this.repository.remove(manager, subject.userId);
      await this.repository.unmarkSessions(manager, subject.userId);
      await this.tell(manager, subject.userId, 'auth.second-factor-off');
      return true;
    });
  }

  /** New recovery codes; the old ones are void. Throws TOTP_NOT_ON, TOTP_CODE_WRONG. */
  async renewRecoveryCodes(subject: Subject, code: string, caller: Caller): Promise<RecoveryCodesDto> {
    return await this.withProof(subject, code, caller, async (manager) => {
      await this.tell(manager, subject.userId, 'auth.recovery-codes-renewed');
      return await this.newRecoveryCodes(manager, subject.userId);
    });
  }

  /**
   * The second half of a sign-in. A challenge takes few answers, and so does the account, whichever challenge they are for.
   * Throws CHALLENGE_INVALID, SECOND_FACTOR_WRONG, BANNED, and what LockoutService.guard throws.
   */
  async verify(body: VerifySecondFactorDto, caller: Caller): Promise<SignedInDto> {
    const challenge = await this.challenges.get(body.challenge);
    const target = { userId: challenge.user_id, identifier: '' };
    const outcome = await this.lockout.guard('code', target, caller, async () => {
      await this.challenges.takeTry(challenge);
      return await this.answer(challenge, body.code, caller);
    });
    if (outcome === null || outcome === false) throw totpErrors.SECOND_FACTOR_WRONG();
    return this.signIn.answer(outcome);
  }

  private async answer(challenge: Challenge, code: string, caller: Caller): Promise<SignInOutcome | null> {
    const { user_id: userId, proof } = challenge;
    return await this.unitOfWork.run(async (manager) => {
      if (!(await this.factors.use(manager, userId, code))) return null;
      await this.challenges.close(manager, challenge);
      const user = await this.users.getWithin(manager, userId);
      return await this.signIn.completeWithSecondFactor(manager, user, proof, caller);
    });
  }

  /** Does what the user's own second factor allows, in the transaction that uses the code up. */
  private async withProof<T>(
    subject: Subject,
    code: string,
    caller: Caller,
    work: (manager: EntityManager) => Promise<T>,
  ): Promise<T> {
    const totp = await this.repository.find(subject.userId);
    if (!totp?.confirmed) throw totpErrors.TOTP_NOT_ON();
    return await this.tryCode(subject, caller, async (manager) =>
      (await this.factors.use(manager, subject.userId, code)) ? await work(manager) : null,
    );
  }

  private async tryCode<T>(
    { userId }: Subject,
    caller: Caller,
    attempt: (manager: EntityManager) => Promise<T | null>,
  ): Promise<T> {
    const done = await this.lockout.guard('code', { userId, identifier: '' }, caller, () =>
      this.unitOfWork.run(attempt),
    );
    if (done === null || done === false) throw totpErrors.TOTP_CODE_WRONG();
    return done;
  }

  private async newRecoveryCodes(manager: EntityManager, userId: string): Promise<RecoveryCodesDto> {
    const recoveryCodes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
    await this.repository.replaceRecoveryCodes(manager, userId, recoveryCodes.map(hashOfRecoveryCode));
    return { recoveryCodes };
  }

  private async tell(manager: EntityManager, userId: string, action: string): Promise<void> {
    await this.audit.record(manager, {
      actorId: userId,
      action,
      subjectType: 'user',
      subjectId: userId,
      details: {},
    });
  }
}
