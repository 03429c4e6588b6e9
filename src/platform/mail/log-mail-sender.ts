import { Injectable, Logger } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { type Mail, MailSender } from './mail-sender.js';

/**
 * Writes mail to the log, so that a fresh machine needs no mail server. In production, where logs are kept and read by many,
 * it tells only that there was a mail: not to whom, nor the link in it.
 */
@Injectable()
export class LogMailSender extends MailSender {
  private readonly logger = new Logger('Mail');

  constructor(private readonly config: AppConfig) {
    super();
  }

  override async send({ to, subject, text }: Mail): Promise<void> {
    if (this.config.NODE_ENV === 'production')
      this.logger.warn(`"${subject}" was not sent: set MAIL_SENDER=smtp`);
    else this.logger.log({ to, subject, text }, 'mail');
  }
}
