export interface Sms {
  /** E.164. */
  readonly to: string;
  readonly text: string;
  /** Seconds after which the message is of no use and need not be delivered any more. */
  readonly validSeconds: number;
}

/** Hands text messages to whoever carries them; which one is SMS_SENDER's choice. */
export abstract class SmsSender {
  /** Throws SmsRefusedError when this number will never get it, and any other error when a later try may succeed. */
  abstract send(sms: Sms): Promise<void>;
}

/** The carrier will not deliver to this number. `reason` is the carrier's code; never its text, which has the number. */
export class SmsRefusedError extends Error {
  constructor(readonly reason: string) {
    super(`the message was refused: ${reason}`);
    this.name = 'SmsRefusedError';
  }
}
