import { type Mail, MailSender } from '../../src/platform/mail/mail-sender.js';
import { eventually, type System } from './system.js';

/** What the worker's sender would have sent, without a server. */
export class CapturedMails {
  readonly sent: Mail[] = [];

  constructor(system: System) {
    system.worker!.get(MailSender, { strict: false }).send = (mail) => {
      this.sent.push(mail);
      return Promise.resolve();
    };
  }

  /** The token of the newest link that the address was mailed, once there is one. */
  async token(to: string): Promise<string> {
    return await eventually(async () => {
      const tokens = this.sent
        .filter((mail) => mail.to === to)
        .flatMap(({ text }) => /#token=([A-Za-z0-9_-]+)/.exec(text)?.[1] ?? []);
      return Promise.resolve(tokens.at(-1));
    });
  }
}
