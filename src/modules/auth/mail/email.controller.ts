import { Body, Controller, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { VerifyEmailDto } from './dto/email.dto.js';
import { EmailVerificationService } from './email-verification.service.js';
import { mailErrors } from './mail.errors.js';

@ApiTags('auth')
@Operates('account')
@Controller('auth/email')
export class EmailController {
  constructor(private readonly verification: EmailVerificationService) {}

  @Post('verify')
  @ApiBearerAuth('session')
  @Operation({
    summary: 'Verify the email with the token of the mailed link, once',
    description:
      'In a session of the account that the link is of: who only reads the mail does not answer for it.',
    answer: null,
    errors: [mailErrors.LINK_INVALID],
  })
  async verify(@CurrentSubject() subject: Subject, @Body() body: VerifyEmailDto): Promise<void> {
    await this.verification.verify(subject, body.token);
  }

  @Post('verification')
  @ApiBearerAuth('session')
  @Operation({
    summary: 'Mail another link that verifies the email',
    status: 202,
    answer: null,
    errors: [mailErrors.EMAIL_MISSING, mailErrors.EMAIL_ALREADY_VERIFIED],
  })
  async sendAgain(@CurrentSubject() subject: Subject): Promise<void> {
    await this.verification.sendAgain(subject);
  }
}
