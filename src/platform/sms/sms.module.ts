import { Module } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { LogSmsSender } from './log-sms.sender.js';
import { SmsSender } from './sms-sender.js';
import { TwilioSmsSender } from './twilio-sms.sender.js';

@Module({
  providers: [
    {
      provide: SmsSender,
      inject: [AppConfig],
      useFactory: (config: AppConfig): SmsSender =>
        config.SMS_SENDER === 'twilio' ? new TwilioSmsSender(config) : new LogSmsSender(config),
    },
  ],
  exports: [SmsSender],
})
export class SmsModule {}
