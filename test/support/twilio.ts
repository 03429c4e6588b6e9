import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Ajv } from 'ajv';
import { LoopbackServer } from './loopback-server.js';

export const TWILIO_DOCUMENT = join(import.meta.dirname, '../fixtures/twilio/create-message.openapi.json');
export const MESSAGES = '/2010-04-01/Accounts/{AccountSid}/Messages.json';

/** What this stand-in reads of Twilio's own OpenAPI document. */
export interface TwilioDocument {
  readonly paths: Record<typeof MESSAGES, { readonly post: Operation }>;
  readonly components: { readonly schemas: Record<string, object> };
}

interface Operation {
  readonly parameters: readonly { readonly schema: { readonly pattern: string } }[];
  readonly requestBody: {
    readonly content: Record<
      string,
      { readonly schema: { readonly properties: Record<string, { type?: string }> } }
    >;
  };
  readonly responses: Record<
    '201',
    { content: Record<string, { schema: object; examples: Record<string, { value: object }> }> }
  >;
}

export const twilioDocument = JSON.parse(readFileSync(TWILIO_DOCUMENT, 'utf8')) as TwilioDocument;

const FORM = 'application/x-www-form-urlencoded';
const ACCOUNT = 'ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
const TOKEN = 'the token of the stand-in';
const FROM = '+12015550100';

/** Answers as Twilio, or as a test says: a status with Twilio's error body, silence, or a broken connection. */
export type TwilioAnswer =
  { status: number; code?: number; headers?: Record<string, string> } | 'silence' | 'break';

/**
 * Stands in for Twilio: takes what its OpenAPI document takes, refuses everything else, and knows nothing of our code.
 */
export class Twilio extends LoopbackServer {
  /** The forms of accepted messages. */
  readonly messages: Record<string, string>[] = [];
  /** What was wrong with requests, by the document. */
  readonly problems: string[] = [];
  next: TwilioAnswer[] = [];

  get env(): Record<string, string> {
    return {
      SMS_SENDER: 'twilio',
      TWILIO_API_URL: this.url,
      TWILIO_ACCOUNT_SID: ACCOUNT,
      TWILIO_AUTH_TOKEN: TOKEN,
      TWILIO_FROM: FROM,
    };
  }

  protected async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = await text(request);
    const planned = this.next.shift();
    if (planned === 'silence') return;
    if (planned === 'break') return void request.socket.destroy();
    const reply = (status: number, body: object, headers: Record<string, string> = {}): void =>
      void response
        .writeHead(status, { 'Content-Type': 'application/json', ...headers })
        .end(JSON.stringify(body));
    const problems = problemsOf(request, form);
    this.problems.push(...problems);
    if (problems.length > 0) return reply(400, { code: 20001, message: problems.join('; '), status: 400 });
    const basic = Buffer.from(`${ACCOUNT}:${TOKEN}`).toString('base64');
    if (request.headers.authorization !== `Basic ${basic}`)
      return reply(401, { code: 20003, message: 'Authenticate', status: 401 });
    const fields = Object.fromEntries(new URLSearchParams(form));
    if (planned) {
      const { status, code = 20500, headers = {} } = planned;
      const message = `something about ${fields['To']}`;
      return reply(
        status,
        { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status },
        headers,
      );
    }
    this.messages.push(fields);
    const { value } =
      twilioDocument.paths[MESSAGES].post.responses['201'].content['application/json']!.examples['create']!;
    reply(201, { ...value, to: fields['To'], body: fields['Body'], from: fields['From'] ?? null });
  }
}

const ajv = new Ajv({
  strict: false,
  coerceTypes: true,
  formats: { 'phone-number': true, uri: true, 'date-time': true },
});
ajv.addSchema(twilioDocument, 'twilio');
const pointer = [MESSAGES, 'post', 'requestBody', 'content', FORM, 'schema']
  .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
  .join('/');
const validForm = ajv.compile({ $ref: `twilio#/paths/${pointer}` });

function problemsOf(request: IncomingMessage, form: string): string[] {
  const { parameters, requestBody } = twilioDocument.paths[MESSAGES].post;
  const { properties } = requestBody.content[FORM]!.schema;
  const sid = /^\/2010-04-01\/Accounts\/([^/]+)\/Messages\.json$/.exec(request.url ?? '')?.[1];
  const fields: Record<string, string> = Object.fromEntries(new URLSearchParams(form));
  const unknown = Object.keys(fields).filter((name) => !(name in properties));
  return [
    ...(request.method === 'POST' ? [] : [`${request.method} is not documented`]),
    ...(new RegExp(parameters[0]!.schema.pattern).test(sid ?? '') ? [] : [`${request.url} is no such path`]),
    ...((request.headers['content-type'] ?? '').startsWith(FORM) ? [] : ['not a form']),
    ...unknown.map((name) => `${name} is not documented`),
    ...(validForm({ ...fields }) ? [] : [ajv.errorsText(validForm.errors)]),
    // Said in the document's prose.
    ...(/^\+[1-9]\d{6,14}$/.test(fields['To'] ?? '') ? [] : ['To is not E.164']),
    ...(fields['From'] || fields['MessagingServiceSid'] ? [] : ['nobody is the sender']),
    ...(fields['Body'] && fields['Body'].length <= 1600 ? [] : ['Body is empty or too long']),
    ...(Number(fields['ValidityPeriod'] ?? 1) >= 1 && Number(fields['ValidityPeriod'] ?? 1) <= 36_000
      ? []
      : ['ValidityPeriod is out of range']),
  ];
}
