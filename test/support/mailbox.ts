import type { AddressInfo } from 'node:net';
import { getQueueToken } from '@nestjs/bullmq';
import type { Queue } from 'bullmq';
import { SMTPServer } from 'smtp-server';
import { eventually, type System } from './system.js';

export interface ReceivedMail {
  /** Of the envelope: where it really went. */
  readonly to: string[];
  /** The message as it came over the wire. */
  readonly raw: string;
  /** Header lines, unfolded, in their order. */
  readonly headers: string[];
  readonly text: string;
}

/** A real SMTP server in the process, and what it was given. */
export class Mailbox {
  readonly mails: ReceivedMail[] = [];
  /** How often anybody was named as the receiver. */
  attempts = 0;
  /** Answers a receiver with this SMTP code in place of taking them. */
  refusing: ((address: string) => { code: number; message: string } | null) | undefined;

  private readonly server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    logger: false,
    onRcptTo: ({ address }, _session, callback) => {
      this.attempts += 1;
      const refusal = this.refusing?.(address) ?? null;
      callback(refusal && Object.assign(new Error(refusal.message), { responseCode: refusal.code }));
    },
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        this.mails.push(parsed(to, Buffer.concat(chunks).toString('utf8')));
        callback();
      });
    },
  });
  url = '';

  async open(port = 0): Promise<this> {
    this.server.on('error', () => undefined);
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.url = `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}`;
    return this;
  }

  /** Variables of a system that sends its mail here. */
  get env(): Record<string, string> {
    return { MAIL_SENDER: 'smtp', SMTP_URL: this.url, APP_URL: 'https://app.example.com' };
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(resolve));
  }

  to(address: string): ReceivedMail[] {
    return this.mails.filter((mail) => mail.to.includes(address));
  }

  /** Mails to the address whose subject begins so, oldest first, once there are as many. */
  async wait(address: string, subject: string, count = 1): Promise<ReceivedMail[]> {
    return await eventually(async () => {
      const found = this.to(address).filter(({ headers }) =>
        headers.some((line) => line.startsWith(`Subject: ${subject}`)),
      );
      return Promise.resolve(found.length >= count && found);
    });
  }

  /** The token in the newest of the mails, once there are as many. */
  async token(address: string, subject: string, count = 1): Promise<string> {
    const mails = await this.wait(address, subject, count);
    return tokenIn(mails.at(-1)!);
  }
}

/** Until the worker has taken all events and has no job of this queue left, neither to do nor to try again. */
export async function drained(system: System, queue: string): Promise<void> {
  const jobs = system.worker!.get<Queue>(getQueueToken(queue), { strict: false });
  await eventually(async () => {
    const { rows } = await system.db.query<{ n: number }>('SELECT count(*)::int AS n FROM outbox');
    return (
      rows[0]!.n === 0 && (await jobs.getJobCountByTypes('waiting', 'active', 'delayed', 'failed')) === 0
    );
  });
}

export function tokenIn({ text }: ReceivedMail): string {
  return /#token=([A-Za-z0-9_-]+)/.exec(text)![1]!;
}

function parsed(to: string[], raw: string): ReceivedMail {
  const [head = '', ...rest] = raw.split('\r\n\r\n');
  const headers = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const boundary = /boundary="([^"]+)"/.exec(head)?.[1];
  const parts = boundary === undefined ? [raw] : rest.join('\r\n\r\n').split(`--${boundary}`);
  const plain = parts.find((part) => /^\s*content-type: text\/plain/im.test(part)) ?? '';
  return { to, raw, headers, text: decoded(plain) };
}

/** The body of a part; of the encodings that nodemailer chooses for our mails. */
function decoded(part: string): string {
  const [head = '', ...rest] = part.trimStart().split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  const encoding = /content-transfer-encoding: (\S+)/i.exec(head)?.[1]?.toLowerCase();
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  if (encoding !== 'quoted-printable') return body;
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
