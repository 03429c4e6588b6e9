import { Body, Controller, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller } from '../../platform/http/caller.decorator.js';
import { Operation } from '../../platform/http/operation.decorator.js';

import { Public } from '../../platform/security/public.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { usersErrors } from '../users/users.errors.js';
import { AccountsService } from './accounts.service.js';
import { authErrors } from './auth.errors.js';
import {
  AcceptTermsDto,
  LoginDto,
  RefreshDto,
  RegisterDto,
  SignedInDto,
  TermsDto,
  TokensDto,
} from './dto/auth.dto.js';
import { PasswordsService } from './passwords.service.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('auth')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly passwords: PasswordsService,
    private readonly sessions: SessionsService,
  ) {}

  @Post('register')
  @Public('there is no session before an account')
  @Operation({
    summary: 'Open an account with email and password',
    status: 201,
    answer: SignedInDto,
    errors: [usersErrors.EMAIL_TAKEN, usersErrors.HANDLE_TAKEN, authErrors.TERMS_VERSION_OUTDATED],
  })
  async register(@Body() body: RegisterDto, @CurrentCaller() caller: Caller): Promise<SignedInDto> {
    return await this.passwords.register(body, caller);
  }

  @Post('login')
  @Public('there is no session before signing in')
  @Operation({
    summary: 'Sign in with email and password',
    answer: SignedInDto,
    errors: [authErrors.INVALID_CREDENTIALS, authErrors.BANNED],
  })
  async login(@Body() body: LoginDto, @CurrentCaller() caller: Caller): Promise<SignedInDto> {
    return await this.passwords.login(body, caller);
  }

  @Post('refresh')
  @Public('the refresh token is the proof')
  @Operation({
    summary: 'Exchange a refresh token, once, for a new pair',
    answer: TokensDto,
    errors: [authErrors.REFRESH_TOKEN_INVALID],
  })
  async refresh(@Body() body: RefreshDto): Promise<TokensDto> {
    return await this.sessions.refresh(body.refreshToken);
  }

  @Post('logout')
  @ApiBearerAuth('session')
  @Operation({ summary: 'End this session', answer: null })
  async logout(@CurrentSubject() subject: Subject): Promise<void> {
    await this.sessions.end(subject, 'logout');
  }

  @Post('terms')
  @ApiBearerAuth('session')
  @Operation({
    summary: 'Accept the terms in their current version',
    answer: TermsDto,
    errors: [authErrors.TERMS_VERSION_OUTDATED],
  })
  async acceptTerms(@CurrentSubject() subject: Subject, @Body() body: AcceptTermsDto): Promise<TermsDto> {
    return await this.accounts.acceptTerms(subject, body.version);
  }
}
