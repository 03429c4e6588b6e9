import { Injectable, Logger } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { type Sms, SmsSender } from './sms-sender.js';

/** Sends nothing: shows messages in the log, where a developer reads the code. In production their text stays out of it. */
@Injectable()
export class LogSmsSender extends SmsSender {
  private readonly logger = new Logger('Sms');

  constructor(private readonly config: AppConfig) {
    super();
  }

  override send({ to, text }: Sms): Promise<void> {
    if (this.config.NODE_ENV === 'production')
      this.logger.error('A message was not sent: SMS_SENDER is log, which is for development');
    else this.logger.log(`to ${to}: ${text}`);
    return Promise.resolve();
  }
}
