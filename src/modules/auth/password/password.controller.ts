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
import { DeviceTokenDto } from '../dto/auth.dto.js';
import { lockoutErrors } from '../lockout/lockout.errors.js';
import { mailErrors } from '../mail/mail.errors.js';
import { ChangePasswordDto, ForgotPasswordDto, ResetPasswordDto } from './dto/password.dto.js';
import { passwordErrors } from './password.errors.js';
import { PasswordChangesService } from './password-changes.service.js';

@ApiTags('auth')
@Operates('account')
@Controller('auth/password')
export class PasswordController {
  constructor(private readonly changes: PasswordChangesService) {}

  @Post('forgot')
  @Public('who has forgotten the password has no session')
  @Operation({
    summary: 'Mail a link that sets a new password, if the email belongs to an account',
    description: 'The answer is the same whether it does or not.',
    status: 202,
    answer: null,
  })
  async forgot(@Body() body: ForgotPasswordDto): Promise<void> {
    await this.changes.forgot(body.email);
  }

  @Post('reset')
  @Public('the token of the mailed link is the proof')
  @Operation({
    summary: 'Set a new password with the token of the mailed link, once; ends every session',
    answer: DeviceTokenDto,
    errors: [mailErrors.LINK_INVALID, passwordErrors.PASSWORD_BREACHED],
  })
  async reset(@Body() body: ResetPasswordDto, @CurrentCaller() caller: Caller): Promise<DeviceTokenDto> {
    return await this.changes.reset(body.token, body.password, caller);
  }

  @Post('change')
  @AsksCaptcha('after-failures')
  @AllowedWhenIdle('the current password is asked for')
  @ApiBearerAuth('session')
  @Operation({
    summary: 'Change the password; ends every other session',
    answer: null,
    errors: [
      usersErrors.PASSWORD_WRONG,
      lockoutErrors.SIGN_IN_LOCKED,
      ...Object.values(captchaErrors),
      passwordErrors.PASSWORD_ABSENT,
      passwordErrors.PASSWORD_BREACHED,
    ],
  })
  async change(
    @CurrentSubject() subject: Subject,
    @Body() body: ChangePasswordDto,
    @CurrentCaller() caller: Caller,
  ): Promise<void> {
    await this.changes.change(subject, body.currentPassword, body.newPassword, caller);
  }
}
