import { Module } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { AppConfig } from '../config/app-config.js';
import { LogMailSender } from './log-mail-sender.js';
import { MailSender } from './mail-sender.js';
import { SmtpMailSender } from './smtp-mail-sender.js';

/** Mail is sent by the worker only; the API has no MailSender, so that no request can wait for a mail server. */
@Module({
  providers: [
    {
      provide: MailSender,
      inject: [AppConfig, Clock],
      useFactory: (config: AppConfig, clock: Clock): MailSender =>
        config.MAIL_SENDER === 'smtp' ? new SmtpMailSender(config, clock) : new LogMailSender(config),
    },
  ],
  exports: [MailSender],
})
export class MailModule {}
