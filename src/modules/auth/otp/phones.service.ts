import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { violates } from '../../../platform/database/database-errors.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Caller } from '../../../platform/http/caller.decorator.js';
import { columnContext, KeyRing } from '../../../platform/security/key-ring.js';
import type { Subject } from '../../../platform/security/subject.js';
import { BarredIdentitiesService } from '../../compliance/barred-identities.service.js';
import { AccountChangesService } from '../account-changes.service.js';
import { authErrors } from '../auth.errors.js';
import { RecentProofService } from '../sessions/recent-proof.service.js';
import type { OtpSendDto, OtpSentDto, PhoneDto, PhoneVerifyDto } from './dto/otp.dto.js';
import { OtpCodesService } from './otp-codes.service.js';
import { otpErrors } from './otp.errors.js';
import { type PhoneNumber, PhoneNumbersService } from './phone-numbers.service.js';
import { PhonesRepository } from './phones.repository.js';

/** The number that an account signs in with: encrypted, and found by its blind index. */
@Injectable()
export class PhonesService {
  constructor(
    private readonly repository: PhonesRepository,
    private readonly numbers: PhoneNumbersService,
    private readonly codes: OtpCodesService,
    private readonly barred: BarredIdentitiesService,
    private readonly keyRing: KeyRing,
    private readonly recent: RecentProofService,
    private readonly changes: AccountChangesService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Sends a code to the number that is to become the user's. Throws what `request` does, PROOF_TOO_OLD,
   * PHONE_NUMBER_INVALID.
   */
  async requestChange(subject: Subject, { phone }: OtpSendDto, caller: Caller): Promise<OtpSentDto> {
    const number = this.numbers.read(phone);
    await this.recent.require(subject);
    return await this.codes.request(number, { purpose: 'change_number', userId: subject.userId }, caller);
  }

  /**
   * Makes the number the user's. Throws PROOF_TOO_OLD, OTP_INVALID; to who has proved that it is theirs PHONE_TAKEN, and BANNED when its
   * owner was erased while banned. Who was erased while excluded is excluded here too.
   */
  async change(subject: Subject, { phone, ...proof }: PhoneVerifyDto): Promise<PhoneDto> {
    const { userId } = subject;
    const number = this.numbers.read(phone);
    const verifiedAt = await this.unitOfWork.run(async (manager) => {
      await this.codes.lockNumber(manager, number);
      await this.recent.hold(manager, subject);
      const use = { purpose: 'change_number', userId, numberIndex: number.index } as const;
      if (!(await this.codes.prove(manager, use, proof))) return null;
      const at = await this.put(manager, userId, number);
      const ban = await this.barred.carryOver(manager, userId, [number.index]);
      if (ban) throw authErrors.BANNED({ until: ban.until?.toISOString() ?? null, reason: null });
      await this.changes.tell(manager, userId, 'phoneChanged');
      return at;
    });
    if (verifiedAt === null) throw otpErrors.OTP_INVALID();
    return { phone: number.e164, verifiedAt };
  }

  /** Joins the caller's transaction; the number must have been proved in it. Throws PHONE_TAKEN. */
  async put(manager: EntityManager, userId: string, number: PhoneNumber): Promise<Date> {
    const now = this.clock.now();
    const encrypted = this.keyRing.encrypt(number.e164, columnContext('user_phones', 'number', userId));
    try {
      await this.repository.put(manager, { userId, number: encrypted, numberIndex: number.index, now });
    } catch (error) {
      if (violates(error, 'ux_user_phones_number'))
        throw otpErrors.PHONE_TAKEN({ field: 'phone' }, { cause: error });
      throw error;
    }
    return now;
  }
}
