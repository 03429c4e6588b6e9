import { Injectable } from '@nestjs/common';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { Rules } from '../../../platform/config/rules.js';
import { BlindIndex } from '../../../platform/security/blind-index.js';
import { otpErrors } from './otp.errors.js';

export interface PhoneNumber {
  readonly e164: string;
  /** By which it is found where it is stored encrypted. */
  readonly index: Buffer;
}

/** Lines that get text messages. Premium and shared-cost numbers are how codes are turned into somebody's revenue. */
const REACHABLE: ReadonlySet<string | undefined> = new Set(['MOBILE', 'FIXED_LINE_OR_MOBILE']);

@Injectable()
export class PhoneNumbersService {
  constructor(
    private readonly index: BlindIndex,
    private readonly rules: Rules,
  ) {}

  /** Reads a number in international form. Throws PHONE_NUMBER_INVALID. */
  read(text: string): PhoneNumber {
    const { countries } = this.rules.auth.otp;
    const number = parsePhoneNumberFromString(text, { extract: false });
    const served = countries.length === 0 || countries.includes(number?.country ?? '');
    if (!number?.isValid() || number.ext !== undefined || !REACHABLE.has(number.getType()) || !served)
      throw otpErrors.PHONE_NUMBER_INVALID({ field: 'phone' });
    return { e164: number.number, index: this.index.of('phone', number.number) };
  }
}
