import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { type Sms, SmsRefusedError, SmsSender } from './sms-sender.js';

const TIMEOUT_MS = 10_000;

/**
 * Twilio's codes for what is wrong with the recipient, so that no retry helps: not a number, not one that gets messages, a
 * region that is switched off, no route, opted out by STOP. https://www.twilio.com/docs/api/errors
 */
const RECIPIENT_CODES = new Set([21211, 21214, 21217, 21265, 21408, 21421, 21610, 21612, 21614, 63024]);

/** Twilio's Programmable Messaging: `POST /2010-04-01/Accounts/{AccountSid}/Messages.json`. */
@Injectable()
export class TwilioSmsSender extends SmsSender {
  private readonly url: string;
  private readonly authorization: string;
  private readonly from: Record<string, string>;

  constructor({ TWILIO_API_URL, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_FROM }: AppConfig) {
    super();
    if (TWILIO_ACCOUNT_SID === undefined || TWILIO_AUTH_TOKEN === undefined || TWILIO_FROM === undefined)
      throw new Error('SMS_SENDER=twilio needs TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM');
    this.url = `${TWILIO_API_URL.replace(/\/+$/, '')}/2010-04-01/Accounts/${TWILIO_ACCOUNT_SID}/Messages.json`;
    const credentials = Buffer.from(`${TWILIO_ACCOUNT_SID}:${TWILIO_AUTH_TOKEN}`).toString('base64');
    this.authorization = `Basic ${credentials}`;
    this.from = TWILIO_FROM.startsWith('MG') ? { MessagingServiceSid: TWILIO_FROM } : { From: TWILIO_FROM };
  }

  override async send({ to, text, validSeconds }: Sms): Promise<void> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { Authorization: this.authorization, Accept: 'application/json' },
      body: new URLSearchParams({
        To: to,
        ...this.from,
        Body: text,
        ValidityPeriod: String(validSeconds),
      }),
      redirect: 'error', // the credentials go nowhere else
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 201) return await response.body?.cancel();
    const code = await codeOf(response);
    if (response.status === 400 && code !== null && RECIPIENT_CODES.has(code))
      throw new SmsRefusedError(`twilio ${code}`);
    throw new Error(`Twilio answered ${response.status}${code === null ? '' : ` with code ${code}`}`);
  }
}

/** Of an answer in Twilio's form; its message is left, since it tells the number. */
async function codeOf(response: Response): Promise<number | null> {
  const body = (await response.json().catch(() => null)) as { code?: unknown } | null;
  return typeof body?.code === 'number' ? body.code : null;
}
