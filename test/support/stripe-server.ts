import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { checked, FORM, operationOf, type Params, paramsOf, type Refusal } from './stripe-document.js';
import { StripeAccount } from './stripe-account.js';
import { Refused } from './stripe-rules.js';
import { LoopbackServer } from './loopback-server.js';

export const STRIPE_KEY = 'sk_test_standinstandinstandin';
export const STRIPE_WEBHOOK_SECRET = 'whsec_standinstandinstandin';

/**
 * What happens to the next request instead: an answer of Stripe's own form, none at all, a connection that breaks before the
 * request is read, or one that breaks after it was done (`lost`).
 */
export type StripeFault =
  { status: number; type?: string; code?: string; retry?: boolean } | 'silence' | 'break' | 'lost';

export interface StripeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly form: string;
}

interface Answer {
  readonly status: number;
  readonly body: object;
  readonly replayed?: boolean;
  /** It was not valid at all, so that nothing was begun. */
  readonly unbegun?: boolean;
}

/**
 * Stands in for Stripe: takes what its OpenAPI document takes, refuses everything else, answers with its own examples, and
 * knows nothing of our code. What is in the document's prose only (the unit of amounts, what belongs to which mode,
 * idempotency) is in StripeAccount and below.
 */
export class StripeServer extends LoopbackServer {
  readonly account = new StripeAccount();
  readonly requests: StripeRequest[] = [];
  /** What was wrong with requests. */
  readonly problems: string[] = [];
  next: StripeFault[] = [];
  /** Milliseconds that each request takes. */
  delayMs = 0;
  private readonly keys = new Map<string, { request: string; answer: Answer | null }>();

  get env(): Record<string, string> {
    return { STRIPE_SECRET_KEY: STRIPE_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_BASE: this.url };
  }

  /** Stripe keeps keys for a day. */
  forgetKeys(): void {
    this.keys.clear();
  }

  /** As Stripe would deliver it to a webhook. */
  delivery(event: object, { at = Date.now() / 1000, secret = STRIPE_WEBHOOK_SECRET } = {}): Delivery {
    const body = JSON.stringify(event, null, 2);
    const time = Math.floor(at);
    const signature = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
    return { rawBody: Buffer.from(body), headers: { 'stripe-signature': `t=${time},v1=${signature}` } };
  }

  protected async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = await text(request);
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    this.requests.push({ method: request.method!, path: request.url!, headers: request.headers, form });
    if (this.delayMs > 0) await new Promise((resolve) => void setTimeout(resolve, this.delayMs));
    const fault = this.next.shift();
    if (fault === 'silence') return;
    if (fault === 'break') return void request.socket.destroy();
    if (typeof fault === 'object') {
      const { status, type = 'api_error', code, retry } = fault;
      return reply(response, { status, body: { error: { type, code, message: 'planned' } } }, retry);
    }
    const answer = this.answer(request, path, paramsOf(request.method === 'GET' ? query : form));
    if (answer.status >= 400) this.problems.push((answer.body as ErrorBody).error.message);
    if (fault === 'lost') return void request.socket.destroy();
    reply(response, answer);
  }

  private answer({ method = '', headers }: IncomingMessage, path: string, params: Params): Answer {
    if (headers.authorization !== `Bearer ${STRIPE_KEY}`)
      return errorOf(401, 'invalid_request_error', { message: 'Invalid API Key provided: sk_test_****tand' });
    const operation = operationOf(method, path);
    if (!operation)
      return errorOf(404, 'invalid_request_error', {
        message: `Unrecognized request URL (${method}: ${path}).`,
      });
    if (method === 'POST' && !(headers['content-type'] ?? '').startsWith(FORM))
      return errorOf(400, 'invalid_request_error', { message: 'The body is not a form.' });
    const version = headers['stripe-version'];
    if (typeof version !== 'string' || !/^\d{4}-\d\d-\d\d(\.[a-z]+)?$/.test(version))
      return errorOf(400, 'invalid_request_error', {
        message: `Invalid Stripe API version: ${String(version)}`,
      });
    if (method !== 'POST') return this.perform(operation, params);
    return this.once(headers['idempotency-key'], { ...operation, path }, params);
  }

  /** Under one key one thing happens once: what was answered then is answered again. */
  private once(
    key: string | string[] | undefined,
    operation: { name: string; id: string | null; path: string },
    params: Params,
  ): Answer {
    if (typeof key !== 'string' || key.length > 255)
      return errorOf(400, 'idempotency_error', {
        message: 'An Idempotency-Key of at most 255 characters is needed.',
      });
    // A key that the client's library made up is another one next time. What creates nothing does not mind.
    if (operation.id === null && key.startsWith('stripe-node-retry-'))
      return errorOf(400, 'idempotency_error', { message: 'The Idempotency-Key is not the caller’s own.' });
    const request = `${operation.path} ${JSON.stringify(params)}`;
    const known = this.keys.get(key);
    if (known && known.request !== request)
      return errorOf(400, 'idempotency_error', {
        message:
          'Keys for idempotent requests can only be used with the same parameters they were first used with.',
      });
    if (known?.answer) return { ...known.answer, replayed: true };
    const answer = this.perform(operation, params);
    // What was never begun may be put right under the same key.
    if (answer.unbegun !== true) this.keys.set(key, { request, answer });
    return answer;
  }

  private perform(operation: { name: string; id: string | null }, params: Params): Answer {
    const invalid = checked(operation.name, params);
    if (invalid) return { ...errorOf(400, 'invalid_request_error', invalid), unbegun: true };
    try {
      return { status: 200, body: this.account.perform(operation.name, operation.id, params) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return errorOf(error.status, 'invalid_request_error', error);
    }
  }
}

export interface Delivery {
  readonly rawBody: Buffer;
  readonly headers: Record<string, string>;
}

interface ErrorBody {
  readonly error: { readonly message: string };
}

function errorOf(status: number, type: string, { code, param, message }: Partial<Refusal>): Answer {
  return { status, body: { error: { type, code, param, message } } };
}

function reply(response: ServerResponse, { status, body, replayed }: Answer, retry?: boolean): void {
  response
    .writeHead(status, {
      'Content-Type': 'application/json',
      'Request-Id': 'req_standin',
      ...(replayed ? { 'Idempotent-Replayed': 'true' } : {}),
      ...(retry === undefined ? {} : { 'Stripe-Should-Retry': String(retry) }),
    })
    .end(JSON.stringify(body));
}
