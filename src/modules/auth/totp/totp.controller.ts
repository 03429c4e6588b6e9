import { Body, Controller, Delete, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller } from '../../../platform/http/caller.decorator.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { AsksCaptcha } from '../../../platform/security/captcha/asks-captcha.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { Public } from '../../../platform/security/public.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { authErrors } from '../auth.errors.js';
import { SignedInDto } from '../dto/auth.dto.js';
import { guessErrors } from '../lockout/lockout.errors.js';
import { sessionErrors } from '../sessions/session.errors.js';
import {
  ConfirmTotpDto,
  RecoveryCodesDto,
  SecondFactorDto,
  TotpSetUpDto,
  VerifySecondFactorDto,
} from './dto/totp.dto.js';
import { totpErrors } from './totp.errors.js';
import { TotpService } from './totp.service.js';

@ApiTags('auth')
@Operates('account')
@Controller('auth/totp')
export class TotpController {
  constructor(private readonly totp: TotpService) {}

  @Post()
  @ApiBearerAuth('session')
  @Operation({
    summary: 'Begin to set up a second factor',
    description: 'It asks for nothing until its first code is confirmed. Begun again, it has a new secret.',
    status: 201,
    answer: TotpSetUpDto,
    errors: [sessionErrors.PROOF_TOO_OLD, totpErrors.TOTP_ALREADY_ON],
  })
  async begin(@CurrentSubject() subject: Subject): Promise<TotpSetUpDto> {
    return await this.totp.begin(subject);
  }

  @Post('confirm')
  @ApiBearerAuth('session')
  @AsksCaptcha('after-failures')
  @Operation({
    summary: 'Turn the second factor on with its first code; answers the recovery codes, once',
    description: "Ends the caller's other sessions.",
    answer: RecoveryCodesDto,
    errors: [
      sessionErrors.PROOF_TOO_OLD,
      totpErrors.TOTP_NOT_ON,
      totpErrors.TOTP_ALREADY_ON,
      totpErrors.TOTP_CODE_WRONG,
      ...guessErrors,
    ],
  })
  async confirm(
    @CurrentSubject() subject: Subject,
    @Body() body: ConfirmTotpDto,
    @CurrentCaller() caller: Caller,
  ): Promise<RecoveryCodesDto> {
    return await this.totp.confirm(subject, body.code, caller);
  }

  @Delete()
  @ApiBearerAuth('session')
  @AsksCaptcha('after-failures')
  @Operation({
    summary: 'Turn the second factor off, with one of its codes',
    answer: null,
    errors: [totpErrors.TOTP_NOT_ON, totpErrors.TOTP_CODE_WRONG, ...guessErrors],
  })
  async turnOff(
    @CurrentSubject() subject: Subject,
    @Body() body: SecondFactorDto,
    @CurrentCaller() caller: Caller,
  ): Promise<void> {
    await this.totp.turnOff(subject, body.code, caller);
  }

  @Post('recovery-codes')
  @ApiBearerAuth('session')
  @AsksCaptcha('after-failures')
  @Operation({
    summary: 'Replace the recovery codes, with a code of the second factor',
    answer: RecoveryCodesDto,
    errors: [sessionErrors.PROOF_TOO_OLD, totpErrors.TOTP_NOT_ON, totpErrors.TOTP_CODE_WRONG, ...guessErrors],
  })
  async renewRecoveryCodes(
    @CurrentSubject() subject: Subject,
    @Body() body: SecondFactorDto,
    @CurrentCaller() caller: Caller,
  ): Promise<RecoveryCodesDto> {
    return await this.totp.renewRecoveryCodes(subject, body.code, caller);
  }

  @Post('verify')
  @Public('the challenge is the proof of the first factor')
  @AsksCaptcha('after-failures')
  @Operation({
    summary: 'Finish signing in with a code of the second factor',
    answer: SignedInDto,
    errors: [totpErrors.CHALLENGE_INVALID, totpErrors.SECOND_FACTOR_WRONG, authErrors.BANNED, ...guessErrors],
  })
  async verify(@Body() body: VerifySecondFactorDto, @CurrentCaller() caller: Caller): Promise<SignedInDto> {
    return await this.totp.verify(body, caller);
  }
}
