import { Body, Controller, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller } from '../../platform/http/caller.decorator.js';
import { Operation } from '../../platform/http/operation.decorator.js';

import { AsksCaptcha } from '../../platform/security/captcha/asks-captcha.decorator.js';
import { captchaErrors } from '../../platform/security/captcha/captcha.errors.js';
import { AllowedWhenIdle } from '../../platform/security/idle.decorators.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { Public } from '../../platform/security/public.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { usersErrors } from '../users/users.errors.js';
import { AccountsService } from './accounts.service.js';
import { authErrors } from './auth.errors.js';
import { AcceptTermsDto, LoginDto, RegisterDto, SignedInDto, TermsDto } from './dto/auth.dto.js';
import { guessErrors, lockoutErrors } from './lockout/lockout.errors.js';
import { passwordErrors } from './password/password.errors.js';
import { PasswordsService } from './passwords.service.js';
import { RegistrationService } from './registration/registration.service.js';
import { totpErrors } from './totp/totp.errors.js';

@ApiTags('auth')
@Operates('account')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly passwords: PasswordsService,
    private readonly registration: RegistrationService,
  ) {}

  @Operates('account', 'social')
  @Post('register')
  @Public('there is no session before an account')
  @AsksCaptcha('always')
  @Operation({
    summary: 'Open an account with email and password',
    description:
      'EMAIL_TAKEN tells that the address can have no account, or no other. The owner of one hears of it by mail, and a network that is answered so again and again has to wait (SIGN_IN_LOCKED).',
    status: 201,
    answer: SignedInDto,
    errors: [
      lockoutErrors.SIGN_IN_LOCKED,
      passwordErrors.PASSWORD_BREACHED,
      usersErrors.EMAIL_TAKEN,
      usersErrors.HANDLE_TAKEN,
      usersErrors.HANDLE_RESERVED,
      authErrors.TERMS_VERSION_OUTDATED,
      ...Object.values(captchaErrors),
    ],
  })
  async register(@Body() body: RegisterDto, @CurrentCaller() caller: Caller): Promise<SignedInDto> {
    return await this.registration.register(body, caller);
  }

  @Post('login')
  @Public('there is no session before signing in')
  @AsksCaptcha('after-failures')
  @Operation({
    summary: 'Sign in with email and password',
    answer: SignedInDto,
    errors: [
      authErrors.INVALID_CREDENTIALS,
      authErrors.BANNED,
      totpErrors.SECOND_FACTOR_REQUIRED,
      ...guessErrors,
    ],
  })
  async login(@Body() body: LoginDto, @CurrentCaller() caller: Caller): Promise<SignedInDto> {
    return await this.passwords.login(body, caller);
  }

  @Post('terms')
  @ApiBearerAuth('session')
  @AllowedWhenIdle('it is asked for before anything else')
  @Operation({
    summary: 'Accept the terms in their current version',
    answer: TermsDto,
    errors: [authErrors.TERMS_VERSION_OUTDATED],
  })
  async acceptTerms(@CurrentSubject() subject: Subject, @Body() body: AcceptTermsDto): Promise<TermsDto> {
    return await this.accounts.acceptTerms(subject, body.version);
  }
}
