import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import responseValidator from 'openapi-response-validator';
import { MESSAGES, Twilio, type TwilioDocument, twilioDocument } from '../../../test/support/twilio.js';
import { loadAppConfig } from '../config/load-config.js';
import { SmsRefusedError } from './sms-sender.js';
import { TwilioSmsSender } from './twilio-sms.sender.js';

const WHOLE = resolve(import.meta.dirname, '../../../../shared/data/specs/twilio/twilio_api_v2010.json.gz');
const SMS = { to: '+12015550123', text: '492039 is your code. Ça marche & co = +1%', validSeconds: 600 };

describe('the sender by Twilio', () => {
  let twilio: Twilio;

  beforeAll(async () => {
    twilio = await new Twilio().start();
  });
  afterAll(async () => twilio.stop());
  beforeEach(() => {
    twilio.messages.length = 0;
    twilio.problems.length = 0;
    twilio.next = [];
  });

  function senderWith(over: Record<string, string> = {}): TwilioSmsSender {
    const base = {
      DATABASE_URL: 'postgres://127.0.0.1/none',
      REDIS_URL: 'redis://127.0.0.1',
      JWT_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----',
    };
    return new TwilioSmsSender(loadAppConfig({ ...base, ...twilio.env, ...over }));
  }

  /** How a message fails that is answered so. */
  async function failureOf(answer: Twilio['next'][number]): Promise<Error> {
    twilio.next = [answer];
    return await senderWith()
      .send(SMS)
      .then(
        () => new Error('it was sent'),
        (error: unknown) => error as Error,
      );
  }

  it('sends what the document of Twilio takes, to the letter', async () => {
    await senderWith().send(SMS);
    expect(twilio.problems).toEqual([]);
    expect(twilio.messages).toEqual([
      { To: SMS.to, From: twilio.env['TWILIO_FROM'], Body: SMS.text, ValidityPeriod: '600' },
    ]);
  });

  it('sends from a messaging service, or under a name', async () => {
    const service = `MG${'0'.repeat(32)}`;
    await senderWith({ TWILIO_FROM: service, TWILIO_API_URL: `${twilio.env['TWILIO_API_URL']}/` }).send(SMS);
    await senderWith({ TWILIO_FROM: 'Parley' }).send(SMS);
    expect(twilio.problems).toEqual([]);
    expect(twilio.messages.map(({ From, MessagingServiceSid }) => [From, MessagingServiceSid])).toEqual([
      [undefined, service],
      ['Parley', undefined],
    ]);
  });

  it.each([21211, 21408, 21610, 21614])('tells that error %i is the recipient’s, for good', async (code) => {
    const failure = await failureOf({ status: 400, code });
    expect(failure).toBeInstanceOf(SmsRefusedError);
    expect((failure as SmsRefusedError).reason).toBe(`twilio ${code}`);
  });

  it.each([
    ['a sender that is not ours', { status: 400, code: 21606 }, 'Twilio answered 400 with code 21606'],
    ['no such account', { status: 404, code: 20404 }, 'Twilio answered 404 with code 20404'],
    ['too many requests', { status: 429, code: 20429 }, 'Twilio answered 429 with code 20429'],
    ['a failure of theirs', { status: 503 }, 'Twilio answered 503 with code 20500'],
    ['a success that is none', { status: 200 }, 'Twilio answered 200 with code 20500'],
  ] as const)(
    'fails by %s so that a later try may succeed, and tells no number',
    async (_, answer, message) => {
      const failure = await failureOf(answer);
      expect(failure).not.toBeInstanceOf(SmsRefusedError);
      expect(failure.message).toBe(message);
    },
  );

  it('fails by wrong credentials, a broken connection, or nobody there', async () => {
    await expect(senderWith({ TWILIO_AUTH_TOKEN: 'another token of ours' }).send(SMS)).rejects.toThrow(
      'Twilio answered 401 with code 20003',
    );
    expect(await failureOf('break')).not.toBeInstanceOf(SmsRefusedError);
    await expect(senderWith({ TWILIO_API_URL: 'http://127.0.0.1:9' }).send(SMS)).rejects.toThrow(
      'fetch failed',
    );
  });

  it('waits ten seconds for an answer, and no longer', async () => {
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    const asked = jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout(50));
    try {
      expect((await failureOf('silence')).name).toBe('TimeoutError');
      expect(asked).toHaveBeenCalledWith(10_000);
    } finally {
      asked.mockRestore();
    }
  });

  it('takes its credentials nowhere else', async () => {
    const elsewhere = await new Twilio().start();
    try {
      const Location = `${elsewhere.env['TWILIO_API_URL']}/2010-04-01/Accounts/x/Messages.json`;
      expect((await failureOf({ status: 307, headers: { Location } })).message).toBe('fetch failed');
      expect([elsewhere.messages, elsewhere.problems]).toEqual([[], []]);
    } finally {
      await elsewhere.stop();
    }
  });

  it('is not made without its account', () => {
    const nameOf = (name: string) => () => senderWith({ [name]: '' });
    for (const name of ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_FROM'])
      expect(nameOf(name)).toThrow(`${name}: required with SMS_SENDER=twilio`);
  });

  it('meets a stand-in that answers as the document says', async () => {
    const { responses } = twilioDocument.paths[MESSAGES].post;
    const { schema } = responses['201'].content['application/json']!;
    const validator = new responseValidator.default({
      responses: { 201: { schema: schema } },
      components: twilioDocument.components,
      customFormats: {
        'phone-number': () => true,
        'date-time-rfc-2822': () => true,
        currency: () => true,
        'uri-map': () => true,
      },
    });
    const { TWILIO_API_URL, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN } = twilio.env;
    const answer = await fetch(`${TWILIO_API_URL}/2010-04-01/Accounts/${TWILIO_ACCOUNT_SID}/Messages.json`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`${TWILIO_ACCOUNT_SID}:${TWILIO_AUTH_TOKEN}`)}` },
      body: new URLSearchParams({ To: SMS.to, From: '+12015550100', Body: 'x' }),
    });
    expect(answer.status).toBe(201);
    expect(validator.validateResponse('201', await answer.json())).toBeUndefined();
    expect(validator.validateResponse('201', { sid: 'SM1' })).toMatchObject({
      errors: [{ path: 'sid' }, { path: 'sid' }],
    });
  });

  // The whole document is not in the repository; where it lies beside it, what was cut out of it must be its own.
  const beside = existsSync(WHOLE) ? it : it.skip;
  beside('is held against a cutting that is unchanged', () => {
    const whole = JSON.parse(gunzipSync(readFileSync(WHOLE)).toString('utf8')) as TwilioDocument;
    expect(twilioDocument.paths[MESSAGES].post).toEqual(whole.paths[MESSAGES].post);
    for (const [name, schema] of Object.entries(twilioDocument.components.schemas))
      expect(schema).toEqual(whole.components.schemas[name]);
  });
});
