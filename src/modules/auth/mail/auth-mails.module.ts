import { Module } from '@nestjs/common';
import { MailModule } from '../../../platform/mail/mail.module.js';
import { AuthModule } from '../auth.module.js';
import { EmailVerificationProcessor } from './email-verification.processor.js';
import { LinkMailsService } from './link-mails.service.js';
import { PasswordResetProcessor } from './password-reset.processor.js';
import { SecurityNoticesProcessor } from './security-notices.processor.js';
import { SecurityNoticesRepository } from './security-notices.repository.js';
import { SecurityNoticesService } from './security-notices.service.js';

/** Mail about accounts: of the worker only. */
@Module({
  imports: [AuthModule, MailModule],
  providers: [
    LinkMailsService,
    SecurityNoticesRepository,
    SecurityNoticesService,
    EmailVerificationProcessor,
    PasswordResetProcessor,
    SecurityNoticesProcessor,
  ],
  exports: [SecurityNoticesService],
})
export class AuthMailsModule {}
