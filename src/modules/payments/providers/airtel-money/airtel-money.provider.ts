import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { AppConfig } from '../../../../platform/config/app-config.js';
import { AIRTEL_CURRENCIES } from '../../../../platform/config/mobile-money-config.js';
import { paymentsErrors } from '../../payments.errors.js';
import type {
  Checkout,
  CheckoutOrder,
  Money,
  PaymentProvider,
  PayoutOrder,
  ProviderEvent,
  ProviderState,
  RefundOrder,
  WebhookRequest,
} from '../../provider.js';
import { AuthorizedApi } from '../mobile-money/authorized-api.js';
import { toDecimal } from '../mobile-money/decimal-amount.js';
import { failed, type Verdict } from '../mobile-money/failure-codes.js';
import { isObject, JsonApi } from '../mobile-money/json-api.js';
import { plainText, readCode } from '../mobile-money/plain-text.js';
import { stateOf, tellFailure } from '../mobile-money/provider-states.js';
import { readWebhook } from '../mobile-money/read-webhook.js';
import { isAuthentic } from './airtel-callback.js';
import { type AirtelAnswer, isRefusedOutright, readAnswer, verdictOfTransaction } from './airtel-verdicts.js';

export const AIRTEL_MONEY = 'airtel-money';

/** Characters of a reference at most. */
const REFERENCE_LENGTH = 64;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const COLLECTIONS = '/standard/v1/payments';
const DISBURSEMENTS = '/standard/v1/disbursements';

/**
 * Airtel Money's Open API: the payer confirms on their telephone (USSD push). Our ids are the ids of its transactions. Its answers tell no
 * amounts, so `paid` is never told. A callback is a hint, authenticated or not: it says which transaction to ask about.
 * @see https://developers.airtel.africa/documentation
 */
export class AirtelMoneyProvider implements PaymentProvider {
  readonly name = AIRTEL_MONEY;
  readonly currencies: readonly string[];
  readonly needsPhone = true;
  readonly subscriptions = false;
  private readonly logger = new Logger('AirtelMoney');
  private readonly json: JsonApi;
  private readonly api: AuthorizedApi;
  private readonly country: string;
  private readonly currency: string;
  private readonly pin: string;
  private readonly callbackKey: string | null;

  constructor(config: AppConfig) {
    const { AIRTEL_CLIENT_ID: id, AIRTEL_CLIENT_SECRET: secret, AIRTEL_COUNTRY: country } = config;
    const currency = AIRTEL_CURRENCIES[country ?? ''];
    if (!id || !secret || !country || !currency || !config.AIRTEL_ENCRYPTED_PIN)
      throw new Error(`${AIRTEL_MONEY} needs its client, its country and its PIN`);
    this.country = country;
    this.currency = currency;
    this.currencies = [currency];
    this.pin = config.AIRTEL_ENCRYPTED_PIN;
    this.callbackKey = config.AIRTEL_CALLBACK_KEY ?? null;
    this.json = new JsonApi(AIRTEL_MONEY, config.AIRTEL_API_URL);
    this.api = new AuthorizedApi(this.json, {
      method: 'POST',
      path: '/auth/oauth2/token',
      headers: {},
      body: { client_id: id, client_secret: secret, grant_type: 'client_credentials' },
    });
  }

  async createCheckout(order: CheckoutOrder): Promise<Checkout> {
    const amount = this.amountOf(order);
    const { payerPhone } = order;
    if (!payerPhone?.startsWith('+')) throw paymentsErrors.PHONE_REQUIRED({ provider: AIRTEL_MONEY });
    const msisdn = this.msisdnOf(payerPhone);
    if (msisdn === null)
      return { ...stateOf(order.paymentId, failed('account_not_found')), redirectUrl: null };
    const { country, currency } = this;
    const answer = await this.call('POST', '/merchant/v1/payments/', {
      reference: referenceOf(order.description),
      subscriber: { country, currency, msisdn },
      transaction: { amount, country, currency, id: order.paymentId },
    });
    const { verdict } = answer;
    // Nobody has paid at this moment, whatever the answer calls a success: the request was sent to the telephone.
    const asked = verdict.is === 'succeeded' ? ({ is: 'pending' } as const) : verdict;
    const state = await this.settle(answer, asked, order.paymentId, COLLECTIONS);
    return { ...state, redirectUrl: null };
  }

  parseWebhook(request: WebhookRequest): Promise<ProviderEvent> {
    const body = readWebhook(request);
    if (this.callbackKey !== null && !isAuthentic(request, body, this.callbackKey))
      throw paymentsErrors.WEBHOOK_SIGNATURE_INVALID();
    const transaction = isObject(body['transaction']) ? body['transaction'] : {};
    const id = String(transaction['id']);
    const known = UUID.test(id);
    return Promise.resolve({
      eventId: createHash('sha256').update(request.rawBody).digest('hex'),
      type: `payment.${readCode(transaction['status_code'])?.toLowerCase() ?? 'callback'}`,
      about: known ? 'payment' : 'nothing',
      providerReference: known ? id : null,
      ourId: known ? id : null,
      state: null,
    });
  }

  async fetchState(payment: { paymentId: string }): Promise<ProviderState | null> {
    return await this.find(COLLECTIONS, payment.paymentId);
  }

  /**
   * Airtel refunds whole payments only, by its own id of the payment: it takes no id of ours, and has no enquiry about refunds. So one
   * that it may have done stays pending, is not asked for again, and waits for somebody who looks it up in Airtel's portal.
   */
  async refund(order: RefundOrder): Promise<ProviderState> {
    this.amountOf(order);
    const { amount, currency, whole, providerReference, refundId } = order;
    if (whole?.amount !== amount || whole.currency !== currency)
      return stateOf(refundId, failed('whole_refunds_only'));
    const paid = await this.enquire(COLLECTIONS, providerReference);
    const { airtelMoneyId } = paid;
    if (verdictOfTransaction(paid).is !== 'succeeded' || airtelMoneyId === null)
      throw this.json.unavailable(`${paid.said}: no payment to refund`);
    const answer = await this.call('POST', '/standard/v1/payments/refund', {
      transaction: { airtel_money_id: airtelMoneyId },
    }).catch((error: unknown) => error as Error);
    if (answer instanceof Error) return this.leaveOpen(airtelMoneyId, 'no answer');
    const { status, verdict, said } = answer;
    if (verdict.is !== 'failed' && (verdict.is === 'succeeded' || status === 'SUCCESS' || status === 'TS'))
      return stateOf(airtelMoneyId, { is: 'succeeded' });
    // Any other refusal may be of a second refund, the first one's answer having been lost.
    if (!isRefusedOutright(answer)) return this.leaveOpen(airtelMoneyId, said);
    tellFailure(this.logger, verdict, `refund ${said}`);
    return stateOf(airtelMoneyId, verdict);
  }

  private leaveOpen(airtelMoneyId: string, said: string): ProviderState {
    this.logger.error(`whether the payment ${airtelMoneyId} was refunded has to be looked up: ${said}`);
    return stateOf(airtelMoneyId, { is: 'pending' });
  }

  /** There is no enquiry about refunds. */
  fetchRefund(refund: { refundId: string; providerReference: string | null }): Promise<ProviderState | null> {
    return Promise.resolve(stateOf(refund.providerReference ?? refund.refundId, { is: 'pending' }));
  }

  async payOut(order: PayoutOrder): Promise<ProviderState> {
    const amount = this.amountOf(order);
    const msisdn = this.msisdnOf(order.destination);
    if (msisdn === null) return stateOf(order.payoutId, failed('account_not_found'));
    const answer = await this.call('POST', `${DISBURSEMENTS}/`, {
      payee: { msisdn },
      reference: referenceOf(order.description),
      pin: this.pin,
      transaction: { amount, id: order.payoutId },
    });
    const told = verdictOfTransaction(answer);
    // Paid out is what both say; what they say differently stays open until the enquiry.
    const { verdict } = answer;
    const agreed: Verdict = told.is === 'unknown' || told.is === verdict.is ? verdict : { is: 'pending' };
    return await this.settle(answer, agreed, order.payoutId, DISBURSEMENTS);
  }

  async fetchPayout(payout: { payoutId: string }): Promise<ProviderState | null> {
    return await this.find(DISBURSEMENTS, payout.payoutId);
  }

  cancelSubscription(): Promise<void> {
    return Promise.reject(paymentsErrors.PROVIDER_CANNOT_DO({ provider: AIRTEL_MONEY }));
  }

  /** The documents that this is written by have no list of transactions. */
  list(): null {
    return null;
  }

  private async call(method: 'GET' | 'POST', path: string, body?: object): Promise<AirtelAnswer> {
    const headers = { 'X-Country': this.country, 'X-Currency': this.currency };
    const answer = await this.api.call({ method, path, headers, ...(body === undefined ? {} : { body }) });
    return readAnswer(answer.status, answer.body);
  }

  /** What follows from the answer to a request. `enquiry` tells what became of one that had been made before. */
  private async settle(
    answer: AirtelAnswer,
    verdict: Verdict,
    reference: string,
    enquiry: string,
  ): Promise<ProviderState> {
    if (verdict.is === 'unknown' || verdict.is === 'missing') throw this.json.unavailable(answer.said);
    if (verdict.is === 'duplicate')
      return (await this.find(enquiry, reference)) ?? stateOf(reference, { is: 'pending' });
    tellFailure(this.logger, verdict, answer.said);
    return stateOf(reference, verdict);
  }

  private async find(enquiry: string, id: string): Promise<ProviderState | null> {
    const answer = await this.enquire(enquiry, id);
    const verdict = verdictOfTransaction(answer);
    if (verdict.is !== 'unknown') {
      tellFailure(this.logger, verdict, answer.said);
      return stateOf(id, verdict);
    }
    // Without a transaction the code is about the question, not about the money.
    if (answer.verdict.is === 'missing') return null;
    throw this.json.unavailable(answer.said);
  }

  private async enquire(enquiry: string, id: string): Promise<AirtelAnswer> {
    const answer = await this.call('GET', `${enquiry}/${id}`);
    if (answer.id !== null && answer.id !== id) throw this.json.unavailable('another transaction');
    return answer;
  }

  /** Airtel takes amounts as numbers. */
  private amountOf(money: Money): number {
    if (money.currency !== this.currency)
      throw paymentsErrors.CURRENCY_NOT_TAKEN({ currency: money.currency, taken: this.currencies });
    return Number(toDecimal(money));
  }

  /** In the national form, without the country's code. Null for a number of another country, which has no wallet here. */
  private msisdnOf(phone: string): string | null {
    const number = parsePhoneNumberFromString(phone, { extract: false });
    return number?.country === this.country ? number.nationalNumber : null;
  }
}

function referenceOf(description: string): string {
  return plainText(description, REFERENCE_LENGTH) || 'Payment';
}
