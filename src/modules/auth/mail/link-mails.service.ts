import { Injectable, Logger } from '@nestjs/common';
import { AppConfig } from '../../../platform/config/app-config.js';
import { Rules } from '../../../platform/config/rules.js';
import { MailRefused, MailSender } from '../../../platform/mail/mail-sender.js';
import { MailLinksService } from './mail-links.service.js';
import type { LinkPurpose } from './mail-links.types.js';
import { linkMail } from './mails.js';

/** Mails a link that was asked for; in the worker. */
@Injectable()
export class LinkMailsService {
  private readonly logger = new Logger('LinkMails');

  constructor(
    private readonly links: MailLinksService,
    private readonly sender: MailSender,
    private readonly config: AppConfig,
    private readonly rules: Rules,
  ) {}

  /** At least once: what was sent and could not be noted is sent again, under a new secret that replaces the first. */
  async send(purpose: LinkPurpose, linkId: string): Promise<void> {
    const link = await this.links.prepare(linkId);
    if (!link) return;
    const { verificationSeconds, resetSeconds } = this.rules.auth.mail;
    const seconds = purpose === 'email_verification' ? verificationSeconds : resetSeconds;
    try {
      await this.sender.send(linkMail(purpose, link, this.config.APP_URL, seconds));
    } catch (error) {
      if (!(error instanceof MailRefused)) throw error;
      this.logger.warn({ linkId }, error.message);
      return;
    }
    await this.links.markSent(linkId);
  }
}
