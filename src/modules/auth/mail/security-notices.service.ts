import { Injectable, Logger } from '@nestjs/common';
import { AppConfig } from '../../../platform/config/app-config.js';
import { MailRefused, MailSender } from '../../../platform/mail/mail-sender.js';
import { type Notice, noticeMail } from './mails.js';
import { SecurityNoticesRepository } from './security-notices.repository.js';

/** Tells users by mail what has happened to their account; in the worker. Who has no email is not told. */
@Injectable()
export class SecurityNoticesService {
  private readonly logger = new Logger('SecurityNotices');

  constructor(
    private readonly repository: SecurityNoticesRepository,
    private readonly sender: MailSender,
    private readonly config: AppConfig,
  ) {}

  async send(notice: Notice, about: { userId: string; sessionId: string | undefined }): Promise<void> {
    const addressee = await this.repository.find(about.userId, about.sessionId ?? null);
    if (!addressee) return;
    try {
      await this.sender.send(noticeMail(notice, addressee, this.config.APP_URL));
    } catch (error) {
      if (!(error instanceof MailRefused)) throw error;
      this.logger.warn({ userId: about.userId }, error.message);
    }
  }
}
