import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { createTransport, type NodemailerError } from 'nodemailer';
import { Clock } from '../clock/clock.js';
import { AppConfig } from '../config/app-config.js';
import { type Mail, MailRefused, MailSender } from './mail-sender.js';

const CONNECT_MS = 5_000;
const SILENCE_MS = 15_000;
/** For the whole of one message: a server that answers by the drop holds no job longer. */
const SEND_MS = 30_000;
const CONNECTIONS = 4;
/** Characters: a line of a message has at most 998. */
const MAX_SUBJECT = 200;

/** A subject is shown in one line: what would end it, or reorder what is shown, is left out. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu;

/** SMTP by nodemailer, over few connections that are kept. */
@Injectable()
export class SmtpMailSender extends MailSender implements OnApplicationShutdown {
  private readonly transport;

  constructor(
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {
    super();
    this.transport = createTransport({
      url: config.SMTP_URL,
      pool: true,
      maxConnections: CONNECTIONS,
      maxRequeues: 0, // the queue tries again, and knows when to stop
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      dnsTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  onApplicationShutdown(): void {
    this.transport.close();
  }

  override async send({ to, subject, text, html }: Mail): Promise<void> {
    try {
      await this.transport.sendMail({
        from: this.config.MAIL_FROM,
        // As an object: a string would be read as a list, and "a,b@example.com" is one address of a stranger more.
        to: { name: '', address: to },
        subject: subject.replace(CONTROLS, ' ').trim().slice(0, MAX_SUBJECT),
        text,
        html,
        date: this.clock.now(),
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
        signal: AbortSignal.timeout(SEND_MS),
      });
    } catch (error) {
      throw withoutAddress(error as NodemailerError);
    }
  }
}

/** A server's answer often names the address; its code and the command say enough. */
function withoutAddress({ code, command, responseCode, permanent }: NodemailerError): Error {
  const answer = responseCode === undefined ? '' : `, ${responseCode} to ${command ?? 'nothing'}`;
  const message = `mail was not taken: ${code ?? 'unknown'}${answer}`;
  // A wrong password of ours or a broken greeting is 5xx too, but an operator mends it.
  const ofThisMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  const unsendable = ofThisMail && responseCode === undefined;
  return ofThisMail && (permanent === true || unsendable) ? new MailRefused(message) : new Error(message);
}
