import { Body, Controller, Delete, Get, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Effect, Listed } from '../../../platform/http/answers.js';
import { type Caller, CurrentCaller } from '../../../platform/http/caller.decorator.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { CursorQuery } from '../../../platform/http/pagination.js';
import { AsksCaptcha } from '../../../platform/security/captcha/asks-captcha.decorator.js';
import { AllowedWhenIdle, Passive } from '../../../platform/security/idle.decorators.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { Public } from '../../../platform/security/public.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { authErrors } from '../auth.errors.js';
import { RefreshDto, TokensDto } from '../dto/auth.dto.js';
import { guessErrors } from '../lockout/lockout.errors.js';
import { SessionsService } from '../sessions.service.js';
import {
  ChooseIdleTimeoutDto,
  IdleTimeoutDto,
  ReauthenticateDto,
  SessionDto,
  SessionParam,
} from './dto/sessions.dto.js';
import { ReauthenticationService } from './reauthentication.service.js';
import { RefreshService } from './refresh.service.js';
import { usersErrors } from '../../users/users.errors.js';
import { sessionErrors } from './session.errors.js';
import { SessionListService } from './session-list.service.js';

@ApiTags('auth')
@Operates('account')
@Controller('auth')
export class SessionsController {
  constructor(
    private readonly refreshes: RefreshService,
    private readonly sessions: SessionsService,
    private readonly own: SessionListService,
    private readonly reauthentication: ReauthenticationService,
  ) {}

  @Post('refresh')
  @Public('the refresh token is the proof')
  @Operation({
    summary: 'Exchange a refresh token, once, for a new pair',
    description:
      'A token that comes a second time ends its session. A session that is bound to a key (DPoP) may ask again for 10 seconds and gets the same answer.',
    answer: TokensDto,
    errors: [authErrors.REFRESH_TOKEN_INVALID],
  })
  async refresh(@Body() body: RefreshDto, @CurrentCaller() caller: Caller): Promise<Effect<TokensDto>> {
    return await this.refreshes.refresh(body.refreshToken, caller);
  }

  @Post('logout')
  @ApiBearerAuth('session')
  @AllowedWhenIdle('it only takes away')
  @Operation({ summary: 'End this session', answer: null })
  async logout(@CurrentSubject() subject: Subject): Promise<void> {
    await this.sessions.end(subject, 'logout');
  }

  @Post('logout-all')
  @ApiBearerAuth('session')
  @AllowedWhenIdle('it only takes away')
  @Operation({ summary: "End all of the caller's sessions, this one too", answer: null })
  async logoutAll(@CurrentSubject() subject: Subject): Promise<void> {
    await this.own.endAll(subject);
  }

  @Get('sessions')
  @ApiBearerAuth('session')
  @Operation({
    summary: "The caller's live sessions, the latest first",
    answer: SessionDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async list(@CurrentSubject() subject: Subject, @Query() query: CursorQuery): Promise<Listed<SessionDto>> {
    return await this.own.list(subject, query);
  }

  @Delete('sessions/:id')
  @ApiBearerAuth('session')
  @AllowedWhenIdle('it only takes away')
  @Operation({
    summary: "End one of the caller's sessions",
    answer: null,
    errors: [sessionErrors.SESSION_NOT_FOUND],
  })
  async end(@CurrentSubject() subject: Subject, @Param() { id }: SessionParam): Promise<void> {
    await this.own.end(subject, id);
  }

  @Post('reauthenticate')
  @ApiBearerAuth('session')
  @AllowedWhenIdle('it is the way out of being idle')
  @AsksCaptcha('after-failures')
  @Operation({
    summary: 'Prove oneself again in a session that nobody has used for a while',
    answer: null,
    errors: [usersErrors.PASSWORD_WRONG, ...guessErrors],
  })
  async reauthenticate(
    @CurrentSubject() subject: Subject,
    @Body() body: ReauthenticateDto,
    @CurrentCaller() caller: Caller,
  ): Promise<void> {
    await this.reauthentication.byPassword(subject, body.password, caller);
  }

  @Get('idle-timeout')
  @ApiBearerAuth('session')
  @Passive()
  @Operation({
    summary: 'How long a session may be left alone; asking is no activity',
    answer: IdleTimeoutDto,
  })
  async idleTimeout(@CurrentSubject() subject: Subject): Promise<IdleTimeoutDto> {
    return await this.own.idleTimeout(subject);
  }

  @Put('idle-timeout')
  @ApiBearerAuth('session')
  @Operation({
    summary: "Shorten the time for which the caller's sessions may be left alone",
    answer: IdleTimeoutDto,
    errors: [sessionErrors.IDLE_TIMEOUT_TOO_LONG],
  })
  async chooseIdleTimeout(
    @CurrentSubject() subject: Subject,
    @Body() body: ChooseIdleTimeoutDto,
  ): Promise<IdleTimeoutDto> {
    return await this.own.chooseIdleTimeout(subject, body.seconds);
  }
}
