import { Body, Controller, Delete, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller } from '../../../platform/http/caller.decorator.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { AsksCaptcha } from '../../../platform/security/captcha/asks-captcha.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { privacyErrors } from '../../users/privacy/privacy.errors.js';
import { usersErrors } from '../../users/users.errors.js';
import { guessErrors } from '../lockout/lockout.errors.js';
import { sessionErrors } from '../sessions/session.errors.js';
import { AccountClosingService } from './account-closing.service.js';
import { CloseAccountDto, ClosingDto } from './dto/account-closing.dto.js';

@ApiTags('users')
@ApiBearerAuth('session')
@Operates('account')
@Controller('users/me')
export class AccountClosingController {
  constructor(private readonly service: AccountClosingService) {}

  @Delete()
  @AsksCaptcha('after-failures')
  @Operation({
    summary: "Close the caller's account",
    description:
      'Ends all sessions at once. For 30 days signing in and POST users/me/restore take it back; then the personal ' +
      'data is erased, and the ledger, bets and audit keep a pseudonym. An open bet postpones that until it is settled.',
    answer: ClosingDto,
    errors: [usersErrors.PASSWORD_WRONG, sessionErrors.PROOF_TOO_OLD, ...guessErrors],
  })
  async close(
    @CurrentSubject() subject: Subject,
    @Body() body: CloseAccountDto,
    @CurrentCaller() caller: Caller,
  ): Promise<ClosingDto> {
    return await this.service.close(subject, body.password, caller);
  }

  @Post('restore')
  @Operation({
    summary: 'Keep an account that is being closed',
    answer: null,
    errors: [privacyErrors.ACCOUNT_NOT_CLOSING],
  })
  async restore(@CurrentSubject() subject: Subject): Promise<void> {
    await this.service.restore(subject);
  }
}
