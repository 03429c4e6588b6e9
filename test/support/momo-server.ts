import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { MobileMoneyServer, Refused } from './mobile-money-server.js';

/** Facts of MTN's own documentation: the sandbox's numbers and the error codes. */
export interface MomoFacts {
  readonly sandbox: {
    readonly currency: string;
    readonly target_environment: string;
    readonly msisdn_outcomes: Readonly<Record<string, string>>;
  };
  readonly errors: readonly {
    readonly scope: string;
    readonly http: number;
    readonly code: string | null;
    readonly meaning?: string;
  }[];
}

export const momoFacts = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/mobile-money/mtn_momo_facts.json'), 'utf8'),
) as MomoFacts;

type Product = 'collection' | 'disbursement';
type Kind = 'requesttopay' | 'transfer' | 'refund';

/** As MTN keeps it. `amount` is in the major unit, as it came. */
export interface MomoTransaction {
  readonly kind: Kind;
  readonly referenceId: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly callbackUrl: string | null;
  readonly financialTransactionId: string;
  status: 'PENDING' | 'SUCCESSFUL' | 'FAILED';
  reason: string | null;
  /** Seconds after it was asked at which it succeeds by itself. */
  succeedsAfter: number | null;
  readonly askedAt: number;
}

const CREDENTIALS: Readonly<Record<Product, { user: string; key: string; subscription: string }>> = {
  collection: {
    user: 'a8b0a3c1-6d5c-4c52-8f5e-0f6a4d1c9b01',
    key: 'f1db798c98df4bcf83b538175893bbf0',
    subscription: 'collection-subscription-0123456789',
  },
  disbursement: {
    user: 'b6d3f5a7-1b2c-4d3e-9f4a-5b6c7d8e9f02',
    key: '0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d',
    subscription: 'disbursement-subscription-9876543210',
  },
};
const TOKEN = /^\/(collection|disbursement)\/token\/$/;
const CALLBACK_HOST = 'api.example.com';
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** Currencies without a minor unit. */
const WHOLE = new Set(['XAF', 'XOF', 'UGX', 'RWF', 'GNF']);

const note = { type: 'string', minLength: 1, maxLength: 160, pattern: '^[A-Za-z0-9 .,-]+$' };
const party = {
  type: 'object',
  additionalProperties: false,
  required: ['partyIdType', 'partyId'],
  properties: {
    partyIdType: { enum: ['MSISDN', 'EMAIL', 'PARTY_CODE'] },
    partyId: { type: 'string', pattern: '^[1-9][0-9]{6,14}$' },
  },
};
const schemaOf = (properties: Record<string, object>) => {
  const all = {
    amount: { type: 'string', pattern: '^[0-9]+([.][0-9]{1,2})?$' },
    currency: { type: 'string', pattern: '^[A-Z]{3}$' },
    externalId: { type: 'string', minLength: 1, maxLength: 64 },
    payerMessage: note,
    payeeNote: note,
    ...properties,
  };
  return { type: 'object', additionalProperties: false, required: Object.keys(all), properties: all };
};
const ajv = new Ajv();
const VALID: Readonly<Record<Kind, ReturnType<typeof ajv.compile>>> = {
  requesttopay: ajv.compile(schemaOf({ payer: party })),
  transfer: ajv.compile(schemaOf({ payee: party })),
  refund: ajv.compile(schemaOf({ referenceIdToRefund: { type: 'string', minLength: 36, maxLength: 36 } })),
};
const PATHS: readonly [method: string, path: RegExp, product: Product, kind: Kind][] = [
  ['POST', /^\/collection\/v1_0\/requesttopay$/, 'collection', 'requesttopay'],
  ['GET', /^\/collection\/v1_0\/requesttopay\/([^/]+)$/, 'collection', 'requesttopay'],
  ['POST', /^\/disbursement\/v1_0\/transfer$/, 'disbursement', 'transfer'],
  ['GET', /^\/disbursement\/v1_0\/transfer\/([^/]+)$/, 'disbursement', 'transfer'],
  ['POST', /^\/disbursement\/v[12]_0\/refund$/, 'disbursement', 'refund'],
  ['GET', /^\/disbursement\/v1_0\/refund\/([^/]+)$/, 'disbursement', 'refund'],
];

/**
 * Stands in for the MoMo Open API of one market, after MTN's documentation, and knows nothing of our code. It refuses what the
 * documentation does not allow and remembers why, keeps what it was asked, and lets the sandbox's numbers behave as they do.
 */
export class MomoServer extends MobileMoneyServer<MomoTransaction> {
  tokenSeconds = 3600;
  /** What our own wallet for pay-outs and refunds holds, in the major unit. */
  float = 10_000;
  /** What every payer's wallet holds, in the major unit. */
  readonly wallet: number;
  /** MTN writes reasons in two ways. */
  reasonAs: 'text' | 'object' = 'text';
  private seconds = 0;
  private readonly tokens = new Map<string, { product: Product; endsAt: number }>();

  constructor(
    readonly environment: string = momoFacts.sandbox.target_environment,
    readonly currency: string = momoFacts.sandbox.currency,
  ) {
    super();
    this.wallet = WHOLE.has(currency) ? 100_000 : 1000;
  }

  get env(): Record<string, string> {
    return {
      MTN_MOMO_API_URL: this.url,
      MTN_MOMO_ENVIRONMENT: this.environment,
      MTN_MOMO_COLLECTION_USER: CREDENTIALS.collection.user,
      MTN_MOMO_COLLECTION_KEY: CREDENTIALS.collection.key,
      MTN_MOMO_COLLECTION_SUBSCRIPTION: CREDENTIALS.collection.subscription,
      MTN_MOMO_DISBURSEMENT_USER: CREDENTIALS.disbursement.user,
      MTN_MOMO_DISBURSEMENT_KEY: CREDENTIALS.disbursement.key,
      MTN_MOMO_DISBURSEMENT_SUBSCRIPTION: CREDENTIALS.disbursement.subscription,
      PUBLIC_URL: `https://${CALLBACK_HOST}`,
    };
  }

  override reset(): void {
    super.reset();
    this.float = 10_000;
    this.reasonAs = 'text';
  }

  advance(seconds: number): void {
    this.seconds += seconds;
  }

  revokeTokens(): void {
    this.tokens.clear();
  }

  /** The body that is sent to X-Callback-Url, once and unsigned: what the enquiry would answer. */
  callbackOf(transaction: MomoTransaction): string {
    return JSON.stringify(this.resultOf(transaction));
  }

  protected asksForToken(path: string): boolean {
    return TOKEN.test(path);
  }

  protected respond(request: IncomingMessage, sent: string): [number, object | null] {
    const path = request.url ?? '';
    const product = TOKEN.exec(path)?.[1] as Product | undefined;
    return product ? this.issue(product, request) : this.answer(request, path, sent);
  }

  protected refusalOf({ code, message }: Refused): object | null {
    return code === null ? null : { code, message };
  }

  private issue(product: Product, request: IncomingMessage): [number, object] {
    const { user, key } = CREDENTIALS[product];
    if (request.method !== 'POST') throw new Refused(404, null, 'tokens are asked for by POST');
    this.checkSubscription(product, request);
    const basic = `Basic ${Buffer.from(`${user}:${key}`).toString('base64')}`;
    if (request.headers.authorization !== basic)
      throw new Refused(401, null, `not the API user of ${product}`);
    const token = `${product}.${randomUUID()}`;
    this.tokensIssued += 1;
    this.tokens.set(token, { product, endsAt: this.seconds + this.tokenSeconds });
    return [200, { access_token: token, token_type: 'access_token', expires_in: this.tokenSeconds }];
  }

  private answer(request: IncomingMessage, path: string, sent: string): [number, object | null] {
    for (const [method, pattern, product, kind] of PATHS) {
      const match = pattern.exec(path);
      if (!match || method !== request.method) continue;
      this.checkSubscription(product, request);
      const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
      const token = this.tokens.get(bearer ?? '');
      if (token?.product !== product || token.endsAt <= this.seconds)
        throw new Refused(401, null, `no token of ${product}, or one that has ended`);
      if (request.headers['x-target-environment'] !== this.environment)
        throw new Refused(500, 'NOT_ALLOWED_TARGET_ENVIRONMENT', 'not this environment');
      if (method === 'GET') return [200, this.found(kind, match[1] ?? '')];
      this.ask(kind, request, sent);
      return [202, null];
    }
    // The gateway before the API, whose form of an error is its own.
    this.problems.push(`${request.method} ${path} is not documented`);
    return [404, { statusCode: 404, message: 'Resource not found' }];
  }

  private checkSubscription(product: Product, request: IncomingMessage): void {
    if (request.headers['ocp-apim-subscription-key'] !== CREDENTIALS[product].subscription)
      throw new Refused(401, null, `not a subscription key of ${product}`);
  }

  private ask(kind: Kind, request: IncomingMessage, sent: string): void {
    const referenceId = request.headers['x-reference-id'];
    if (typeof referenceId !== 'string' || !UUID_V4.test(referenceId))
      throw new Refused(400, null, 'X-Reference-Id is no UUID of version 4');
    if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
      throw new Refused(400, null, 'the body is not JSON by its type');
    const body = parsed(sent);
    if (!VALID[kind](body)) throw new Refused(400, null, ajv.errorsText(VALID[kind].errors));
    const callback = request.headers['x-callback-url'];
    if (callback !== undefined) {
      const url = URL.parse(String(callback));
      if (url?.protocol !== 'https:') throw new Refused(400, null, 'callbacks go over https only');
      if (url.hostname !== CALLBACK_HOST)
        throw new Refused(500, 'INVALID_CALLBACK_URL_HOST', 'not the registered host of callbacks');
    }
    const { amount, currency } = body as { amount: string; currency: string };
    if (currency !== this.currency)
      throw new Refused(500, 'INVALID_CURRENCY', `${currency} is not taken here`);
    if (WHOLE.has(currency) && amount.includes('.'))
      throw new Refused(400, null, `${currency} has no minor unit`);
    if (Number(amount) <= 0) throw new Refused(400, null, 'nothing is asked for');
    if (this.transactions.has(referenceId))
      throw new Refused(
        409,
        'RESOURCE_ALREADY_EXIST',
        'Duplicated reference id. Creation of resource failed.',
      );
    const transaction: MomoTransaction = {
      kind,
      referenceId,
      body: body as Record<string, unknown>,
      callbackUrl: callback === undefined ? null : String(callback),
      financialTransactionId: String(1_000_000_000 + this.transactions.size),
      status: 'SUCCESSFUL',
      reason: null,
      succeedsAfter: null,
      askedAt: this.seconds,
    };
    this.decide(transaction, Number(amount));
    this.transactions.set(referenceId, transaction);
  }

  private decide(transaction: MomoTransaction, amount: number): void {
    const fail = (reason: string): void => void Object.assign(transaction, { status: 'FAILED', reason });
    const { kind, body } = transaction;
    if (kind === 'refund') {
      const paid = this.transactions.get(String(body['referenceIdToRefund']));
      if (paid?.kind !== 'requesttopay' || paid.status !== 'SUCCESSFUL')
        throw new Refused(404, 'RESOURCE_NOT_FOUND', 'Requested resource was not found.');
      const refunded = [...this.transactions.values()]
        .filter((each) => each.kind === 'refund' && each.status !== 'FAILED')
        .filter((each) => each.body['referenceIdToRefund'] === paid.referenceId)
        .reduce((sum, each) => sum + Number(each.body['amount']), 0);
      if (refunded + amount > Number(paid.body['amount'])) return fail('NOT_ALLOWED');
    }
    const { partyId = '' } = (body['payer'] ?? body['payee'] ?? {}) as { partyId?: string };
    if (kind !== 'requesttopay' && amount > this.float) return fail('NOT_ENOUGH_FUNDS');
    switch (momoFacts.sandbox.msisdn_outcomes[partyId]) {
      case 'FAILED':
        return fail('INTERNAL_PROCESSING_ERROR');
      case 'REJECTED':
        return fail('APPROVAL_REJECTED');
      case 'TIMEOUT':
        return fail('EXPIRED');
      case 'PENDING':
        return void (transaction.status = 'PENDING');
      case undefined:
        break;
      default: // ONGOING: pending first, successful when asked again after 30 s
        return void Object.assign(transaction, { status: 'PENDING', succeedsAfter: 30 });
    }
    if (kind === 'requesttopay' && amount > this.wallet) return fail('NOT_ENOUGH_FUNDS');
    if (kind !== 'requesttopay') this.float -= amount;
  }

  private found(kind: Kind, referenceId: string): object {
    const transaction = this.transactions.get(referenceId);
    if (transaction?.kind !== kind)
      throw new Refused(404, 'RESOURCE_NOT_FOUND', 'Requested resource was not found.');
    const { succeedsAfter, askedAt } = transaction;
    if (succeedsAfter !== null && this.seconds >= askedAt + succeedsAfter) transaction.status = 'SUCCESSFUL';
    return this.resultOf(transaction);
  }

  private resultOf({ body, status, reason, financialTransactionId }: MomoTransaction): object {
    const told = Object.fromEntries(Object.entries(body).filter(([name]) => name !== 'referenceIdToRefund'));
    return {
      ...told,
      status,
      ...(status === 'SUCCESSFUL' ? { financialTransactionId } : {}),
      ...(reason === null
        ? {}
        : {
            reason:
              this.reasonAs === 'text' ? reason : { code: reason, message: `about ${JSON.stringify(told)}` },
          }),
    };
  }
}

function parsed(sent: string): unknown {
  try {
    return JSON.parse(sent);
  } catch {
    return undefined;
  }
}
