import { Logger } from '@nestjs/common';
import type { AppConfig } from '../../../../platform/config/app-config.js';
import type { ProviderState } from '../../provider.js';
import { AuthorizedApi } from '../mobile-money/authorized-api.js';
import { fromDecimal } from '../mobile-money/decimal-amount.js';
import { failed } from '../mobile-money/failure-codes.js';
import { type ApiAnswer, JsonApi } from '../mobile-money/json-api.js';
import { stateOf, tellFailure } from '../mobile-money/provider-states.js';
import { isMissing, type MtnProduct, reasonOf, verdictOf, verdictOfStatus } from './mtn-momo-verdicts.js';
import { referenceIdOf } from './reference-id.js';

export const MTN_MOMO = 'mtn-momo';

const NO_CODE = 'without a code';

/** What MTN is asked to do, and where what became of it is read. */
const OPERATIONS = {
  payment: {
    product: 'collection',
    ask: '/collection/v1_0/requesttopay',
    find: '/collection/v1_0/requesttopay',
  },
  payout: {
    product: 'disbursement',
    ask: '/disbursement/v1_0/transfer',
    find: '/disbursement/v1_0/transfer',
  },
  refund: {
    product: 'disbursement',
    ask: '/disbursement/v2_0/refund',
    find: '/disbursement/v1_0/refund',
  },
} as const satisfies Record<string, { product: MtnProduct; ask: string; find: string }>;

export type MtnOperation = keyof typeof OPERATIONS;

const EXTERNAL_ID = /^([a-z]+)-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** What we call a transaction at MTN: it comes back in callbacks, where nothing else tells which one is meant. */
function externalIdOf(operation: MtnOperation, id: string): string {
  return `${operation}-${id}`;
}

export function readExternalId(value: unknown): { operation: MtnOperation; id: string } | null {
  const [, operation = '', id = ''] = (typeof value === 'string' && EXTERNAL_ID.exec(value)) || [];
  return Object.hasOwn(OPERATIONS, operation) ? { operation: operation as MtnOperation, id } : null;
}

/**
 * The MoMo Open API's three operations on money, which are alike: a POST under a reference of ours is answered 202 and nothing
 * more; what became of it is asked by that reference.
 * @see https://momodeveloper.mtn.com/api-documentation
 */
export class MtnMomoGateway {
  private readonly logger = new Logger('MtnMomo');
  private readonly api: JsonApi;
  private readonly products: Readonly<
    Record<MtnProduct, { api: AuthorizedApi; headers: Readonly<Record<string, string>> }>
  >;
  private readonly callback: Readonly<Record<string, string>>;

  constructor(config: AppConfig) {
    this.api = new JsonApi(MTN_MOMO, config.MTN_MOMO_API_URL);
    const product = (name: MtnProduct, user?: string, key?: string, subscription?: string) => {
      if (user === undefined || key === undefined || subscription === undefined)
        throw new Error(`${MTN_MOMO} needs the credentials of both of its products`);
      const basic = Buffer.from(`${user}:${key}`).toString('base64');
      const subscribed = { 'Ocp-Apim-Subscription-Key': subscription };
      const headers = { ...subscribed, Authorization: `Basic ${basic}` };
      return {
        api: new AuthorizedApi(this.api, { method: 'POST', path: `/${name}/token/`, headers }),
        headers: { ...subscribed, 'X-Target-Environment': config.MTN_MOMO_ENVIRONMENT },
      };
    };
    this.products = {
      collection: product(
        'collection',
        config.MTN_MOMO_COLLECTION_USER,
        config.MTN_MOMO_COLLECTION_KEY,
        config.MTN_MOMO_COLLECTION_SUBSCRIPTION,
      ),
      disbursement: product(
        'disbursement',
        config.MTN_MOMO_DISBURSEMENT_USER,
        config.MTN_MOMO_DISBURSEMENT_KEY,
        config.MTN_MOMO_DISBURSEMENT_SUBSCRIPTION,
      ),
    };
    // MTN calls back over https only; without it every outcome is found by asking.
    this.callback = config.PUBLIC_URL.startsWith('https:')
      ? { 'X-Callback-Url': `${config.PUBLIC_URL}/api/v1/payments/webhooks/${MTN_MOMO}` }
      : {};
  }

  /**
   * Asked again under one id, nothing is done twice: the answer is what became of the first. Throws PROVIDER_UNAVAILABLE
   * when it is not known whether anything was done; `find` tells later.
   */
  async ask(operation: MtnOperation, id: string, body: object): Promise<ProviderState> {
    const { product, ask } = OPERATIONS[operation];
    const reference = referenceIdOf(id);
    const { api, headers } = this.products[product];
    const answer = await api.call({
      method: 'POST',
      path: ask,
      headers: { ...headers, ...this.callback, 'X-Reference-Id': reference },
      body: { ...body, externalId: externalIdOf(operation, id) },
    });
    const pending = stateOf(reference, { is: 'pending' });
    if (answer.status === 202) return pending;
    const code = reasonOf(answer.body);
    const verdict = verdictOf(product, answer.status, code);
    switch (verdict.is) {
      case 'duplicate':
        return (await this.find(operation, id)) ?? pending;
      case 'missing':
      case 'failed': {
        const settled = verdict.is === 'failed' ? verdict : failed('provider_refused');
        tellFailure(this.logger, settled, `${operation} ${answer.status} ${code ?? NO_CODE}`);
        return stateOf(reference, settled);
      }
      default:
        throw this.api.unavailable(`${answer.status} ${code ?? NO_CODE}`);
    }
  }

  /** Null when MTN knows of no such transaction. Throws PROVIDER_UNAVAILABLE when it does not say what became of it. */
  async find(operation: MtnOperation, id: string): Promise<ProviderState | null> {
    const { product, find } = OPERATIONS[operation];
    const reference = referenceIdOf(id);
    const { api, headers } = this.products[product];
    const answer = await api.call({ method: 'GET', path: `${find}/${reference}`, headers });
    if (isMissing(answer.status, answer.body)) return null;
    const code = reasonOf(answer.body);
    if (answer.status !== 200) throw this.api.unavailable(`${answer.status} ${code ?? NO_CODE}`);
    const { externalId = externalIdOf(operation, id) } = answer.body;
    if (externalId !== externalIdOf(operation, id)) throw this.api.unavailable('another transaction');
    const verdict = verdictOfStatus(product, answer.body['status'], code);
    if (verdict.is === 'unknown') throw this.api.unavailable('a status that is in no document');
    tellFailure(this.logger, verdict, `${operation} ${answer.status} ${code ?? NO_CODE}`);
    return { ...stateOf(reference, verdict), paid: verdict.is === 'succeeded' ? this.paid(answer) : null };
  }

  private paid({ body }: ApiAnswer): { amount: bigint; currency: string } {
    const { amount, currency } = body;
    try {
      if (typeof currency !== 'string') throw new RangeError('no currency');
      return { amount: fromDecimal(amount, currency), currency };
    } catch (cause) {
      throw this.api.unavailable('an amount that cannot be read', cause);
    }
  }
}
