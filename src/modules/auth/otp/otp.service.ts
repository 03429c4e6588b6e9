import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Caller } from '../../../platform/http/caller.decorator.js';
import type { Subject } from '../../../platform/security/subject.js';
import type { UserProfile } from '../../users/users.types.js';
import { AccountsService } from '../accounts.service.js';
import { authErrors } from '../auth.errors.js';
import type { SignedInDto } from '../dto/auth.dto.js';
import { SessionsService } from '../sessions.service.js';
import { SignInService } from '../sign-in.service.js';
import type { OtpProofDto, OtpSendDto, OtpSentDto, OtpVerifyDto } from './dto/otp.dto.js';
import { OtpCodesService } from './otp-codes.service.js';
import { otpErrors } from './otp.errors.js';
import { type PhoneNumber, PhoneNumbersService } from './phone-numbers.service.js';
import { PhonesRepository } from './phones.repository.js';
import { PhonesService } from './phones.service.js';

/** The way in by telephone and one-time code: who is unknown opens an account with it. */
@Injectable()
export class OtpService {
  constructor(
    private readonly numbers: PhoneNumbersService,
    private readonly codes: OtpCodesService,
    private readonly phones: PhonesService,
    private readonly owners: PhonesRepository,
    private readonly accounts: AccountsService,
    private readonly signIn: SignInService,
    private readonly sessions: SessionsService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The same answer and the same work whether the number is known or not. Throws what `request` does, PHONE_NUMBER_INVALID. */
  async send({ phone }: OtpSendDto, caller: Caller): Promise<OtpSentDto> {
    const number = this.numbers.read(phone);
    return await this.codes.request(number, { purpose: 'sign_in', userId: null }, caller);
  }

  /**
   * Throws OTP_INVALID, whatever is wrong with the code. What is thrown once it is proved leaves it as it was, so that it
   * can be sent again: REGISTRATION_REQUIRED, GEO_BLOCKED, HANDLE_TAKEN, HANDLE_RESERVED, TERMS_VERSION_OUTDATED.
   */
  async verify(body: OtpVerifyDto, caller: Caller): Promise<SignedInDto> {
    const number = this.numbers.read(body.phone);
    const outcome = await this.unitOfWork.run(async (manager) => {
      const use = { purpose: 'sign_in', userId: null, numberIndex: number.index } as const;
      if (!(await this.codes.prove(manager, use, body))) return otpErrors.OTP_INVALID();
      const ownerId = await this.owners.findOwner(manager, number.index);
      const userId = ownerId ?? (await this.register(manager, number, body.account, caller)).id;
      return await this.signIn.complete(manager, { userId, proof: 'otp', caller }, async () =>
        // The number was looked up before its owner was locked: it may have been taken from them in between.
        (await this.owners.findOwner(manager, number.index)) === userId ? null : otpErrors.OTP_INVALID(),
      );
    });
    return await this.signIn.answer(outcome);
  }

  /** True when it is a code sent to the user's own number to sign in; it is used up by that. */
  private async prove(userId: string, proof: OtpProofDto): Promise<boolean> {
    return await this.unitOfWork.run(async (manager) => {
      const numberIndex = await this.owners.findIndex(manager, userId);
      if (numberIndex === null) return false;
      return await this.codes.prove(manager, { purpose: 'sign_in', userId: null, numberIndex }, proof);
    });
  }

  /** Proves the user of an idle session again. Throws OTP_INVALID. */
  async reauthenticate(subject: Subject, proof: OtpProofDto): Promise<void> {
    if (!(await this.prove(subject.userId, proof))) throw otpErrors.OTP_INVALID();
    await this.sessions.reauthenticated(subject);
  }

  private async register(
    manager: EntityManager,
    number: PhoneNumber,
    account: OtpVerifyDto['account'],
    caller: Caller,
  ): Promise<UserProfile> {
    if (account === undefined) throw authErrors.REGISTRATION_REQUIRED({ field: 'account' });
    const user = await this.accounts.open(manager, account, caller, null, [['phone', number.e164]]);
    await this.phones.put(manager, user.id, number);
    return user;
  }
}
