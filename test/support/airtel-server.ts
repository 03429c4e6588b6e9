import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { MobileMoneyServer, Refused } from './mobile-money-server.js';

interface Item {
  readonly name: string;
  readonly item?: readonly Item[];
  readonly request?: {
    readonly method: string;
    readonly header: readonly { readonly key: string }[];
    readonly body?: { readonly raw: string };
    readonly url: { readonly raw: string };
  };
}

/** A public collection of requests to Airtel Money, by name of folder and request. */
export const airtelRequests: ReadonlyMap<string, NonNullable<Item['request']>> = new Map(
  (function flat(items: readonly Item[], above: string): [string, NonNullable<Item['request']>][] {
    return items.flatMap((each) => [
      ...(each.request ? [[`${above}${each.name}`, each.request] as [string, typeof each.request]] : []),
      ...flat(each.item ?? [], `${each.name} `),
    ]);
  })(
    (
      JSON.parse(
        readFileSync(
          join(import.meta.dirname, '../fixtures/mobile-money/airtel_money.postman_collection.json'),
          'utf8',
        ),
      ) as { item: readonly Item[] }
    ).item,
    '',
  ),
);

type Product = 'collection' | 'disbursement';
/** Success, failed, ambiguous, in progress, expired. */
export type AirtelStatus = 'TS' | 'TF' | 'TA' | 'TIP' | 'TE';

export interface AirtelTransaction {
  readonly product: Product;
  readonly id: string;
  readonly msisdn: string;
  readonly amount: number;
  readonly reference: string;
  readonly airtelMoneyId: string;
  status: AirtelStatus;
  code: string;
  refunded: boolean;
}

/** What becomes of a wallet's transactions: the status that an enquiry tells, and the code beside it. */
export interface AirtelFate {
  readonly status: AirtelStatus;
  readonly code: string;
}

const CLIENT = { id: 'c02e9e46-db9d-4faf-b91a-94f88bbe688c', secret: 'ab672211-4197-4c11-ba79-b29ce2034ca2' };
const PIN = Buffer.from(
  'an encrypted PIN, as long as the 128 bytes of RSA that it would be'.padEnd(128, '.'),
).toString('base64');
const CALLBACK_KEY = 'the key of the application’s callbacks';
const WHOLE = new Set(['XAF', 'XOF', 'UGX', 'RWF']);
/** What every wallet holds, in the major unit. */
const WALLET = 100_000;

const TEXT = { type: 'string', minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9 .,-]+$' };
const ID = { type: 'string', minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9-]+$' };
const MSISDN = { type: 'string', pattern: '^[1-9][0-9]+$' };
const AMOUNT = { type: 'number', exclusiveMinimum: 0 };
const exactly = (properties: Record<string, object>): object => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties),
  properties,
});
const place = { country: { type: 'string' }, currency: { type: 'string' } };
const ajv = new Ajv();
const valid = {
  token: ajv.compile(
    exactly({
      client_id: { type: 'string' },
      client_secret: { type: 'string' },
      grant_type: { const: 'client_credentials' },
    }),
  ),
  payment: ajv.compile(
    exactly({
      reference: TEXT,
      subscriber: exactly({ ...place, msisdn: MSISDN }),
      transaction: exactly({ ...place, amount: AMOUNT, id: ID }),
    }),
  ),
  disbursement: ajv.compile(
    exactly({
      payee: exactly({ msisdn: MSISDN }),
      reference: TEXT,
      pin: { type: 'string' },
      transaction: exactly({ amount: AMOUNT, id: ID }),
    }),
  ),
  refund: ajv.compile(exactly({ transaction: exactly({ airtel_money_id: { type: 'string' } }) })),
};

interface PaymentBody {
  readonly reference: string;
  readonly subscriber: { readonly country: string; readonly currency: string; readonly msisdn: string };
  readonly transaction: Record<'country' | 'currency' | 'id', string> & { readonly amount: number };
}
interface DisbursementBody {
  readonly payee: { readonly msisdn: string };
  readonly reference: string;
  readonly pin: string;
  readonly transaction: { readonly amount: number; readonly id: string };
}

/**
 * Stands in for Airtel Money's Open API in one country, after its documentation and the collection above, and knows nothing of our
 * code. It refuses what they do not allow and remembers why, and keeps what it was asked.
 */
export class AirtelServer extends MobileMoneyServer<AirtelTransaction> {
  /** By national number; without one a wallet pays and is paid. */
  readonly fates = new Map<string, AirtelFate>();
  /** What our own wallet for pay-outs holds, in the major unit. */
  float = 1_000_000;
  private readonly tokens = new Set<string>();

  constructor(
    readonly country = 'UG',
    readonly currency = 'UGX',
    /** Digits of a number in its national form. */
    private readonly digits = 9,
  ) {
    super();
  }

  get env(): Record<string, string> {
    return {
      AIRTEL_API_URL: this.url,
      AIRTEL_CLIENT_ID: CLIENT.id,
      AIRTEL_CLIENT_SECRET: CLIENT.secret,
      AIRTEL_COUNTRY: this.country,
      AIRTEL_ENCRYPTED_PIN: PIN,
      AIRTEL_CALLBACK_KEY: CALLBACK_KEY,
    };
  }

  override reset(): void {
    super.reset();
    this.fates.clear();
    this.float = 1_000_000;
  }

  revokeTokens(): void {
    this.tokens.clear();
  }

  /** A callback as it is sent, hashed in one of the ways that the documentation may mean. */
  callbackOf(
    { id, msisdn, amount, status, airtelMoneyId }: AirtelTransaction,
    hashed: 'body' | 'transaction' | 'header' | 'none',
  ): { rawBody: Buffer; headers: Record<string, string> } {
    const message = `Paid ${this.currency} ${amount} from ${msisdn} Trans ID ${airtelMoneyId}.`;
    const transaction = { id, message, status_code: status, airtel_money_id: airtelMoneyId };
    const plain = JSON.stringify({ transaction });
    const hash = (of: string): string => createHmac('sha256', CALLBACK_KEY).update(of).digest('base64');
    if (hashed === 'none') return { rawBody: Buffer.from(plain), headers: {} };
    if (hashed === 'header') return { rawBody: Buffer.from(plain), headers: { hash: hash(plain) } };
    const over = hashed === 'body' ? plain : JSON.stringify(transaction);
    return { rawBody: Buffer.from(JSON.stringify({ transaction, hash: hash(over) })), headers: {} };
  }

  protected asksForToken(path: string): boolean {
    return path === '/auth/oauth2/token';
  }

  protected respond(request: IncomingMessage, sent: string): [number, object] {
    const body = parsed(sent);
    return [
      200,
      this.asksForToken(request.url ?? '') ? this.issue(request, body) : this.answer(request, body),
    ];
  }

  protected refusalOf({ status: http, code, message }: Refused): object {
    const family = code?.startsWith('DP') === true ? 'response_code' : 'result_code';
    const status = { code: String(http), message, success: false };
    return { status: code === null ? status : { ...status, [family]: code } };
  }

  private issue(request: IncomingMessage, body: unknown): object {
    if (request.method !== 'POST') throw new Refused(405, null, 'tokens are asked for by POST');
    if (!valid.token(body)) throw new Refused(400, null, ajv.errorsText(valid.token.errors));
    const { client_id: id, client_secret: secret } = body as Record<string, string>;
    if (id !== CLIENT.id || secret !== CLIENT.secret) throw new Refused(401, null, 'no such client');
    const token = randomUUID();
    this.tokensIssued += 1;
    this.tokens.add(token);
    return { access_token: token, expires_in: '180', token_type: 'bearer' };
  }

  private answer(request: IncomingMessage, body: unknown): object {
    const { method, url: path = '', headers } = request;
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
    if (!this.tokens.has(token)) throw new Refused(401, null, 'no token, or one that has ended');
    if (headers['x-country'] === undefined) throw new Refused(400, 'ROUTER003', 'X-Country is missing');
    if (headers['x-country'] !== this.country) throw new Refused(400, 'ROUTER007', 'not this country');
    if (headers['x-currency'] === undefined) throw new Refused(400, 'ROUTER119', 'X-Currency is missing');
    if (headers['x-currency'] !== this.currency) throw new Refused(400, 'ROUTER112', 'not this currency');
    if (method === 'POST' && !/^application\/json\b/.test(headers['content-type'] ?? ''))
      throw new Refused(415, null, 'the body is not JSON by its type');
    if (method === 'POST' && /^\/merchant\/v[12]\/payments\/$/.test(path)) return this.collect(body);
    if (method === 'POST' && path === '/standard/v1/disbursements/') return this.disburse(body);
    if (method === 'POST' && path === '/standard/v1/payments/refund') return this.refund(body);
    const [, name, id] = /^\/standard\/v1\/(payments|disbursements)\/([^/]+)$/.exec(path) ?? [];
    if (method === 'GET' && id !== undefined)
      return this.found(name === 'payments' ? 'collection' : 'disbursement', id);
    throw new Refused(404, null, `${method} ${path} is not documented`);
  }

  private collect(body: unknown): object {
    if (!valid.payment(body)) throw new Refused(400, 'ESB000008', ajv.errorsText(valid.payment.errors));
    const { reference, subscriber, transaction } = body as PaymentBody;
    for (const each of [subscriber, transaction]) {
      if (each.country !== this.country) throw new Refused(400, 'ESB000034', 'not this country in the body');
      if (each.currency !== this.currency)
        throw new Refused(400, 'ESB000035', 'not this currency in the body');
    }
    this.checkAmount(transaction.amount);
    this.checkNumber(subscriber.msisdn);
    if (this.transactions.has(transaction.id))
      throw new Refused(200, 'ESB000041', 'a transaction with this id is there already');
    const fate = this.fates.get(subscriber.msisdn) ?? { status: 'TS', code: 'DP00800001001' };
    const enough = transaction.amount <= WALLET;
    this.transactions.set(transaction.id, {
      product: 'collection',
      id: transaction.id,
      msisdn: subscriber.msisdn,
      amount: transaction.amount,
      reference,
      airtelMoneyId: `MP${this.transactions.size}.${randomUUID().slice(0, 8)}`,
      refunded: false,
      ...(enough ? fate : { status: 'TF', code: 'DP00800001007' }),
    });
    return envelope({ id: transaction.id, status: 'Success.' }, 'DP00800001006');
  }

  private disburse(body: unknown): object {
    if (!valid.disbursement(body))
      throw new Refused(400, 'ESB000008', ajv.errorsText(valid.disbursement.errors));
    const { payee, reference, pin, transaction } = body as DisbursementBody;
    const { id, amount } = transaction;
    if (pin !== PIN) throw new Refused(400, 'ROUTER116', 'not the encrypted PIN');
    this.checkAmount(amount);
    this.checkNumber(payee.msisdn);
    if (this.transactions.has(id)) throw new Refused(200, 'DP00900001017', 'a duplicate transaction id');
    const fate = this.fates.get(payee.msisdn) ?? { status: 'TS', code: 'DP00900001001' };
    const enough = amount <= this.float;
    const kept: AirtelTransaction = {
      product: 'disbursement',
      id,
      msisdn: payee.msisdn,
      amount,
      reference,
      airtelMoneyId: `disburs-${randomUUID().slice(0, 8)}-${id}`,
      refunded: false,
      ...(enough ? fate : { status: 'TF', code: 'DP00900001007' }),
    };
    this.transactions.set(id, kept);
    if (kept.status === 'TS') this.float -= amount;
    const { airtelMoneyId: airtel_money_id, status } = kept;
    return envelope({ reference_id: '133412377178', airtel_money_id, id, status }, kept.code);
  }

  private refund(body: unknown): object {
    if (!valid.refund(body)) throw new Refused(400, 'ESB000008', ajv.errorsText(valid.refund.errors));
    const { airtel_money_id: moneyId } = (body as { transaction: { airtel_money_id: string } }).transaction;
    const paid = [...this.transactions.values()].find(({ airtelMoneyId }) => airtelMoneyId === moneyId);
    if (paid?.product !== 'collection') throw new Refused(200, 'DP00800001025', 'no such transaction');
    if (paid.status !== 'TS' || paid.refunded) throw new Refused(200, 'DP00800001008', 'nothing to refund');
    paid.refunded = true;
    return envelope({ airtel_money_id: moneyId, status: 'Success.' }, 'DP00800001006');
  }

  private found(product: Product, id: string): object {
    const transaction = this.transactions.get(id);
    if (transaction?.product !== product)
      throw new Refused(
        200,
        product === 'collection' ? 'DP00800001025' : 'DP00900001015',
        'no such transaction',
      );
    const { airtelMoneyId, status, code, amount, msisdn } = transaction;
    const message = `${this.currency} ${amount} of Mobile Number: 0${msisdn} Trans ID: ${airtelMoneyId}`;
    return envelope({ airtel_money_id: airtelMoneyId, id, message, status }, code);
  }

  private checkAmount(amount: number): void {
    const digits = WHOLE.has(this.currency) ? 0 : 2;
    if (Number(amount.toFixed(digits)) !== amount)
      throw new Refused(400, 'ESB000008', `not an amount of ${this.currency}`);
  }

  private checkNumber(msisdn: string): void {
    if (msisdn.length !== this.digits)
      throw new Refused(400, 'ESB000033', 'not a national number by its length');
  }
}

/** `success` tells that the question was answered, of a failed transaction as well. */
function envelope(transaction: object, code: string): object {
  return {
    data: { transaction },
    status: {
      response_code: code,
      code: '200',
      success: true,
      result_code: 'ESB000010',
      message: 'Success.',
    },
  };
}

function parsed(sent: string): unknown {
  try {
    return JSON.parse(sent);
  } catch {
    return undefined;
  }
}
