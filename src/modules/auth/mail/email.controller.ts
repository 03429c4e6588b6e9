import { Body, Controller, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Public } from '../../../platform/security/public.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { VerifyEmailDto } from './dto/email.dto.js';
import { EmailVerificationService } from './email-verification.service.js';
import { mailErrors } from './mail.errors.js';

@ApiTags('auth')
@Controller('auth/email')
export class EmailController {
  constructor(private readonly verification: EmailVerificationService) {}

  @Post('verify')
  @Public('the link is opened on any device; its token is the proof')
  @Operation({
    summary: 'Verify the email with the token of the mailed link, once',
    answer: null,
    errors: [mailErrors.LINK_INVALID],
  })
  async verify(@Body() body: VerifyEmailDto): Promise<void> {
    await this.verification.verify(body.token);
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
