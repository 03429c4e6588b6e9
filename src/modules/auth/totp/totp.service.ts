import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Caller } from '../../../platform/http/caller.decorator.js';
import { type Forgetful, HasHousekeeping } from '../../../platform/jobs/housekeeping.decorator.js';
import type { Subject } from '../../../platform/security/subject.js';
import { UsersService } from '../../users/users.service.js';
import { AccountChangesService } from '../account-changes.service.js';
import { hashOfRecoveryCode, newRecoveryCode } from '../domain/recovery-codes.js';
import type { SignedInDto } from '../dto/auth.dto.js';
import { LockoutService } from '../lockout/lockout.service.js';
import { RecentProofService } from '../sessions/recent-proof.service.js';
import { SessionsService } from '../sessions.service.js';
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
    private readonly proofs: RecentProofService,
    private readonly sessions: SessionsService,
    private readonly changes: AccountChangesService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** A secret that asks for nothing yet; one begun before is replaced. Throws PROOF_TOO_OLD, TOTP_ALREADY_ON. */
  async begin(subject: Subject): Promise<TotpSetUpDto> {
    const { userId } = subject;
    const { handle } = await this.users.get(userId);
    const secret = newTotpSecret();
    const encrypted = this.factors.encrypt(userId, secret);
    const begun = await this.unitOfWork.run(async (manager) => {
      await this.proofs.hold(manager, subject);
      return await this.repository.begin(manager, userId, encrypted, this.clock.now());
    });
    if (!begun) throw totpErrors.TOTP_ALREADY_ON();
    return { secret, uri: totpUri(secret, handle) };
  }

  /**
   * The first code turns it on: this session counts as one with it, and the others, which were opened without, end.
   * Throws PROOF_TOO_OLD, TOTP_NOT_ON, TOTP_ALREADY_ON, TOTP_CODE_WRONG.
   */
  async confirm(subject: Subject, code: string, caller: Caller): Promise<RecoveryCodesDto> {
    const { userId, sessionId } = subject;
    return await this.tryCode(subject, caller, async (manager) => {
      await this.proofs.hold(manager, subject);
      const totp = await this.repository.lock(manager, userId);
      if (!totp) throw totpErrors.TOTP_NOT_ON();
      if (totp.confirmed) throw totpErrors.TOTP_ALREADY_ON();
      const step = this.factors.stepOf(userId, code, totp);
      if (step === null) return null;
      await this.repository.confirm(manager, userId, step, this.clock.now());
      await this.sessions.endAll(manager, userId, 'ended_by_user', sessionId);
      await this.repository.markSession(manager, sessionId);
      await this.changes.tell(manager, userId, 'secondFactorOn');
      return await this.newRecoveryCodes(manager, userId);
    });
  }

  /** Turns it off; no session counts as one with it any more. Throws TOTP_NOT_ON, TOTP_CODE_WRONG. */
  async turnOff(subject: Subject, code: string, caller: Caller): Promise<void> {
    await this.withCode(subject, code, caller, async (manager) => {
      await this.repository.remove(manager, subject.userId);
      await this.repository.unmarkSessions(manager, subject.userId);
      await this.changes.tell(manager, subject.userId, 'secondFactorOff');
      return true;
    });
  }

  /** New recovery codes; the old ones are void. Throws PROOF_TOO_OLD, TOTP_NOT_ON, TOTP_CODE_WRONG. */
  async renewRecoveryCodes(subject: Subject, code: string, caller: Caller): Promise<RecoveryCodesDto> {
    await this.proofs.require(subject);
    return await this.withCode(subject, code, caller, async (manager) => {
      await this.changes.tell(manager, subject.userId, 'recoveryCodesRenewed');
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
    return await this.signIn.answer(outcome);
  }

  private async answer(challenge: Challenge, code: string, caller: Caller): Promise<SignInOutcome | false> {
    const { user_id: userId, proof } = challenge;
    const signIn = { userId, proof, caller };
    return await this.unitOfWork.run((manager) =>
      this.signIn.completeWithSecondFactor(manager, signIn, async () => {
        if (!(await this.factors.use(manager, userId, code))) return false;
        await this.challenges.close(manager, challenge);
        return null;
      }),
    );
  }

  /** Does what the user's own second factor allows, in the transaction that uses the code up. */
  private async withCode<T>(
    subject: Subject,
    code: string,
    caller: Caller,
    work: (manager: EntityManager) => Promise<T>,
  ): Promise<T> {
    const totp = await this.repository.find(subject.userId);
    if (!totp?.confirmed) throw totpErrors.TOTP_NOT_ON();
    return await this.tryCode(subject, caller, async (manager) => {
      await this.proofs.holdOff(manager, subject);
      return (await this.factors.use(manager, subject.userId, code)) ? await work(manager) : null;
    });
  }

  private async tryCode<T>(
    { userId }: Subject,
    caller: Caller,
    attempt: (manager: EntityManager) => Promise<T | null>,
  ): Promise<T> {
    const done = await this.lockout.guard('code', { userId, identifier: '' }, caller, () =>
      this.unitOfWork.run(async (manager) => {
        await this.users.lock(manager, userId); // a sign-in comes before the change, or meets it
        return await attempt(manager);
      }),
    );
    if (done === null || done === false) throw totpErrors.TOTP_CODE_WRONG();
    return done;
  }

  private async newRecoveryCodes(manager: EntityManager, userId: string): Promise<RecoveryCodesDto> {
    const recoveryCodes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
    await this.repository.replaceRecoveryCodes(manager, userId, recoveryCodes.map(hashOfRecoveryCode));
    return { recoveryCodes };
  }
}
