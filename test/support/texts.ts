import { SmsSender, type Sms } from '../../src/platform/sms/sms-sender.js';
import { eventually, type System } from './system.js';

/** What the worker's sender would have handed to the carrier, newest last. */
export class Texts {
  readonly sent: Sms[] = [];
  /** Called before a message counts as sent: throw to make the carrier fail. */
  onSend: (sms: Sms) => void = () => undefined;

  constructor(system: System) {
    const sender = system.worker!.get(SmsSender, { strict: false });
    sender.send = async (sms: Sms) => {
      this.onSend(sms);
      this.sent.push(sms);
      await Promise.resolve();
    };
  }

  /** The codes that a number was sent, oldest first, once there are `count`. */
  async codes(to: string, count = 1): Promise<string[]> {
    return await eventually(async () => {
      const codes = this.sent.filter((sms) => sms.to === to).map(({ text }) => /^\d{6}/.exec(text)![0]);
      return Promise.resolve(codes.length >= count && codes);
    });
  }
}
