import { Body, Controller, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller } from '../../../platform/http/caller.decorator.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { AsksCaptcha } from '../../../platform/security/captcha/asks-captcha.decorator.js';
import { captchaErrors } from '../../../platform/security/captcha/captcha.errors.js';
import { AllowedWhenIdle } from '../../../platform/security/idle.decorators.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { Public } from '../../../platform/security/public.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { usersErrors } from '../../users/users.errors.js';
import { policyErrors } from '../../compliance/compliance.errors.js';
import { authErrors } from '../auth.errors.js';
import { SignedInDto } from '../dto/auth.dto.js';
import { sessionErrors } from '../sessions/session.errors.js';
import { totpErrors } from '../totp/totp.errors.js';
import {
  OtpProofDto,
  OtpSendDto,
  OtpSentDto,
  OtpVerifyDto,
  PhoneDto,
  PhoneVerifyDto,
} from './dto/otp.dto.js';
import { otpErrors } from './otp.errors.js';
import { OtpService } from './otp.service.js';
import { PhonesService } from './phones.service.js';

@ApiTags('auth')
@Operates('account')
@Controller('auth')
export class OtpController {
  constructor(
    private readonly otp: OtpService,
    private readonly phones: PhonesService,
  ) {}

  @Post('otp/send')
  @Public('there is no session before signing in')
  @AsksCaptcha('always')
  @Operation({
    summary: 'Send a one-time code to a telephone',
    description:
      'Answers the same whether or not the number belongs to an account. A number is sent 3 an hour, one of which is kept for devices that its owner has signed in on (X-Device-Token).',
    status: 202,
    answer: OtpSentDto,
    errors: [otpErrors.PHONE_NUMBER_INVALID, otpErrors.SMS_UNAVAILABLE, ...Object.values(captchaErrors)],
  })
  async send(@Body() body: OtpSendDto, @CurrentCaller() caller: Caller): Promise<OtpSentDto> {
    return await this.otp.send(body, caller);
  }

  @Post('otp/verify')
  @Public('the code is the proof')
  @Operation({
    summary: 'Sign in, or open an account, with the code that was sent',
    description: 'A code works once and for 5 tries. A refusal with 409 or 422 leaves it usable.',
    answer: SignedInDto,
    errors: [
      otpErrors.PHONE_NUMBER_INVALID,
      otpErrors.OTP_INVALID,
      policyErrors.GEO_BLOCKED,
      authErrors.REGISTRATION_REQUIRED,
      otpErrors.PHONE_TAKEN,
      usersErrors.HANDLE_TAKEN,
      usersErrors.HANDLE_RESERVED,
      authErrors.TERMS_VERSION_OUTDATED,
      authErrors.BANNED,
      totpErrors.SECOND_FACTOR_REQUIRED,
    ],
  })
  async verify(@Body() body: OtpVerifyDto, @CurrentCaller() caller: Caller): Promise<SignedInDto> {
    return await this.otp.verify(body, caller);
  }

  @Post('otp/reauthenticate')
  @ApiBearerAuth('session')
  @AllowedWhenIdle('it is the way out of being idle')
  @Operation({
    summary: 'Prove oneself again in an idle session by a code sent to the own number',
    description: 'The code is sent by auth/otp/send. By password: auth/reauthenticate.',
    answer: null,
    errors: [otpErrors.OTP_INVALID],
  })
  async reauthenticate(@CurrentSubject() subject: Subject, @Body() body: OtpProofDto): Promise<void> {
    await this.otp.reauthenticate(subject, body);
  }

  @Post('phone')
  @AsksCaptcha('always')
  @ApiBearerAuth('session')
  @Operation({
    summary: 'Send a code to the number that is to become yours',
    status: 202,
    answer: OtpSentDto,
    errors: [
      sessionErrors.PROOF_TOO_OLD,
      otpErrors.PHONE_NUMBER_INVALID,
      otpErrors.SMS_UNAVAILABLE,
      ...Object.values(captchaErrors),
    ],
  })
  async requestPhone(
    @CurrentSubject() subject: Subject,
    @Body() body: OtpSendDto,
    @CurrentCaller() caller: Caller,
  ): Promise<OtpSentDto> {
    return await this.phones.requestChange(subject, body, caller);
  }

  @Post('phone/verify')
  @ApiBearerAuth('session')
  @Operation({
    summary: 'Make a number yours by its code, in place of an earlier one',
    answer: PhoneDto,
    errors: [
      sessionErrors.PROOF_TOO_OLD,
      otpErrors.PHONE_NUMBER_INVALID,
      otpErrors.OTP_INVALID,
      otpErrors.PHONE_TAKEN,
      authErrors.BANNED,
    ],
  })
  async verifyPhone(@CurrentSubject() subject: Subject, @Body() body: PhoneVerifyDto): Promise<PhoneDto> {
    return await this.phones.change(subject, body);
  }
}
