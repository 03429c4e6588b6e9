/** One message to one person. */
export interface Mail {
  /** The address alone, without a name. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/**
 * Sends mail, from a worker only. Chosen by MAIL_SENDER. What it throws holds neither the address nor the message, since
 * errors are logged and kept with the failed job.
 */
export abstract class MailSender {
  /** Throws MailRefused when trying again is of no use; any other error means: later. */
  abstract send(mail: Mail): Promise<void>;
}

/** The receiving side will never take this message for this address. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused';
}
