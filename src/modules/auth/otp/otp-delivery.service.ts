import { Injectable, Logger } from '@nestjs/common';
import { Rules } from '../../../platform/config/rules.js';
import { SmsRefusedError, SmsSender } from '../../../platform/sms/sms-sender.js';
import { OtpCodesService } from './otp-codes.service.js';

/** Sends codes, in the worker. A code exists from here on: it was in no request, row or job before. */
@Injectable()
export class OtpDeliveryService {
  private readonly logger = new Logger('Otp');

  constructor(
    private readonly codes: OtpCodesService,
    private readonly sender: SmsSender,
    private readonly rules: Rules,
  ) {}

  /** Throws when the sender may succeed later; the retry sends a new code. */
  async deliver(challengeId: string): Promise<void> {
    const made = await this.codes.renew(challengeId);
    if (made === null) return;
    const { codeSeconds } = this.rules.auth.otp;
    const minutes = Math.floor(codeSeconds / 60);
    try {
      await this.sender.send({
        to: made.to,
        text: `${made.code} is your Parley code. It works for ${minutes} minutes. We never ask you for it.`,
        validSeconds: codeSeconds,
      });
    } catch (error) {
      if (!(error instanceof SmsRefusedError)) throw error;
      this.logger.warn({ challengeId, reason: error.reason }, 'a code was refused by the carrier');
      return;
    }
    await this.codes.markSent(challengeId);
  }
}
