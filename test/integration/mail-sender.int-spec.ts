import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Clock } from '../../src/platform/clock/clock.js';
import { AppConfig } from '../../src/platform/config/app-config.js';
import { LogMailSender } from '../../src/platform/mail/log-mail-sender.js';
import { type Mail, MailRefused } from '../../src/platform/mail/mail-sender.js';
import { SmtpMailSender } from '../../src/platform/mail/smtp-mail-sender.js';
import { Mailbox } from '../support/mailbox.js';

const NOW = new Date('2023-10-03T12:00:00Z');
class StoppedClock extends Clock {
  override now(): Date {
    return NOW;
  }
}
const MAIL: Mail = {
  to: 'ada@example.com',
  subject: 'Verify your email',
  text: 'Hello ada,\n\nhttps://app.example.com/verify-email#token=abc\n',
  html: '<p>Hello ada</p>',
};

describe('the SMTP sender', () => {
  let mailbox: Mailbox;
  let senders: SmtpMailSender[] = [];

  beforeAll(async () => {
    mailbox = await new Mailbox().open();
  });
  afterEach(() => {
    mailbox.refusing = undefined;
    mailbox.mails.length = 0;
    for (const sender of senders) sender.onApplicationShutdown();
    senders = [];
  });
  afterAll(async () => mailbox.close());

  function senderTo(url: string): SmtpMailSender {
    const sender = new SmtpMailSender(
      Object.assign(new AppConfig(), { MAIL_SENDER: 'smtp', SMTP_URL: url }),
      new StoppedClock(),
    );
    senders.push(sender);
    return sender;
  }

  async function failureOf(url: string, mail: Mail = MAIL): Promise<Error> {
    try {
      await senderTo(url).send(mail);
    } catch (error) {
      return error as Error;
    }
    throw new Error('it was sent');
  }

  it('delivers text and HTML, from our address, by the Clock', async () => {
    await senderTo(mailbox.url).send(MAIL);
    const [mail] = mailbox.mails;
    expect(mail!.to).toEqual(['ada@example.com']);
    expect(mail!.text.trim().split(/\r?\n/)).toEqual(MAIL.text.trim().split('\n'));
    expect(mail!.raw).toContain('<p>Hello ada</p>');
    expect(mail!.headers).toEqual(
      expect.arrayContaining([
        'From: Parley <no-reply@parley.localhost>',
        'To: ada@example.com',
        'Subject: Verify your email',
        'Date: Tue, 03 Oct 2023 12:00:00 +0000',
        'Auto-Submitted: auto-generated',
      ]),
    );
  });

  it('lets no subject add a header, a receiver or a body', async () => {
    const injections = [
      'x\r\nBcc: evil@example.com',
      'x\nBcc: evil@example.com',
      'x\rBcc: evil@example.com',
      'x\r\n\r\n<script>alert(1)</script>',
      'x\u2028Bcc: evil@example.com',
      'x\u0085Bcc: evil@example.com',
      'x\0\r\n .\r\nMAIL FROM:<evil@example.com>',
      '=?utf-8?Q?x=0D=0ABcc:_evil@example.com?=',
      `${'x'.repeat(2000)}\r\nBcc: evil@example.com`,
    ];
    const sender = senderTo(mailbox.url);
    for (const subject of injections) await sender.send({ ...MAIL, subject });
    expect(mailbox.mails).toHaveLength(injections.length);
    const names = new Set(
      mailbox.mails.flatMap(({ headers }) => headers.map((line) => line.split(':', 1)[0])),
    );
    expect([...names].toSorted((a, b) => a!.localeCompare(b!))).toEqual([
      'Auto-Submitted',
      'Content-Type',
      'Date',
      'From',
      'Message-ID',
      'MIME-Version',
      'Subject',
      'To',
      'X-Auto-Response-Suppress',
    ]);
    for (const { to, headers, raw } of mailbox.mails) {
      expect(to).toEqual(['ada@example.com']);
      expect(headers.every((line) => /^[A-Za-z-]+: /.test(line))).toBe(true);
      expect(raw.split('\r\n').filter((line) => line.length > 998 || /[\r\n\0]/.test(line))).toEqual([]);
    }
  });

  it('reads no address as a list, a name or a command', async () => {
    const sender = senderTo(mailbox.url);
    const addresses = [
      'victim,evil@example.com',
      'victim;evil@example.com',
      'group:victim@example.com',
      'victim\r\nBcc:evil@example.com',
      'victim@example.com> NOTIFY=NEVER\r\nRCPT TO:<evil@example.com',
      '=?utf-8?Q?victim=0D=0ABcc=3Aevil?=@example.com',
      'файл@пример.example.com',
    ];
    for (const to of addresses) await sender.send({ ...MAIL, to }).catch(() => undefined);
    for (const mail of mailbox.mails) {
      expect(mail.to).toHaveLength(1);
      expect(addresses).toContain(mail.to[0]!.replaceAll('"', ''));
      expect(mail.headers.filter((line) => /^(bcc|cc)\b/i.test(line))).toEqual([]);
    }
    expect(mailbox.mails.flatMap(({ to }) => to)).not.toContain('evil@example.com');
  });

  it.each([
    [450, false],
    [451, false],
    [503, false],
    [550, true],
    [554, true],
  ])('takes the answer %i for final: %s, and does not repeat the address', async (code, final) => {
    mailbox.refusing = (address) => ({ code, message: `no such user ${address} here` });
    const failure = await failureOf(mailbox.url);
    expect(failure instanceof MailRefused).toBe(final);
    expect(failure.message).toBe(`mail was not taken: EENVELOPE, ${code} to RCPT TO`);
    expect([failure.cause, Object.keys(failure).includes('rejected')]).toEqual([undefined, false]);
  });

  it('takes an address that cannot stand in an envelope for final', async () => {
    expect(await failureOf(mailbox.url, { ...MAIL, to: 'a<b@example.com' })).toBeInstanceOf(MailRefused);
  });

  describe('without a server that answers', () => {
    const open = new Set<Socket>();
    let server: Server;
    let url: string;
    let behave: (socket: Socket) => void;

    beforeAll(async () => {
      server = createServer((socket) => {
        open.add(socket);
        socket.on('error', () => undefined);
        behave(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = `smtp://127.0.0.1:${(server.address() as { port: number }).port}`;
    });
    afterAll(() => {
      for (const socket of open) socket.destroy();
      server.close();
    });

    it.each([
      ['is silent', () => undefined, 'ETIMEDOUT'],
      ['hangs up', (socket: Socket) => socket.end(), 'ECONNECTION'],
      ['hangs up after its greeting', (socket: Socket) => socket.end('220 hello\r\n'), 'ECONNECTION'],
      [
        'speaks another language',
        (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
        'EPROTOCOL',
      ],
      ['takes no mail at all', (socket: Socket) => socket.end('554 no\r\n'), 'EPROTOCOL'],
    ])('fails for now when it %s', async (_, how, code) => {
      behave = how;
      const failure = await failureOf(`${url}?greetingTimeout=200`);
      expect(failure).not.toBeInstanceOf(MailRefused);
      expect(failure.message).toContain(code);
    });

    it('fails for now when nobody listens', async () => {
      const failure = await failureOf('smtp://127.0.0.1:1');
      expect(failure).not.toBeInstanceOf(MailRefused);
      expect(failure.message).toMatch(/^mail was not taken: E(SOCKET|CONNECTION|CONNREFUSED)$/);
    });
  });
});

describe('the log sender', () => {
  const lines: string[] = [];
  const logger = {
    log: (...parts: unknown[]) => void lines.push(JSON.stringify(parts)),
    warn: (...parts: unknown[]) => void lines.push(JSON.stringify(parts)),
    error: () => undefined,
  };
  beforeAll(() => Logger.overrideLogger(logger));
  afterAll(() => Logger.overrideLogger(false));
  afterEach(() => void (lines.length = 0));

  it('shows the mail on a machine of development', async () => {
    await new LogMailSender(Object.assign(new AppConfig(), { NODE_ENV: 'development' })).send(MAIL);
    expect(lines.join()).toContain('#token=abc');
  });

  it('tells neither receiver nor link in production', async () => {
    await new LogMailSender(Object.assign(new AppConfig(), { NODE_ENV: 'production' })).send(MAIL);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('MAIL_SENDER=smtp');
    expect(lines[0]).not.toMatch(/ada|token/);
  });
});
