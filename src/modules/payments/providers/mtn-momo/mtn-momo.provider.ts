import { createHash } from 'node:crypto';
import type { AppConfig } from '../../../../platform/config/app-config.js';
import { MTN_MOMO_CURRENCIES } from '../../../../platform/config/mobile-money-config.js';
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
import { toDecimal } from '../mobile-money/decimal-amount.js';
import { failed } from '../mobile-money/failure-codes.js';
import { plainText, readCode } from '../mobile-money/plain-text.js';
import { stateOf } from '../mobile-money/provider-states.js';
import { readWebhook } from '../mobile-money/read-webhook.js';
import { MTN_MOMO, MtnMomoGateway, readExternalId } from './mtn-momo-gateway.js';
import { referenceIdOf } from './reference-id.js';

/** Characters of a note at most. */
const NOTE_LENGTH = 160;
const MSISDN = /^\+[1-9]\d{6,14}$/;

/**
 * MTN Mobile Money: the payer confirms on their telephone. Its references follow from our ids, so none has to be stored to be
 * found again. Callbacks are not signed, so they prove nothing: they only say which transaction to ask about.
 */
export class MtnMomoProvider implements PaymentProvider {
  readonly name = MTN_MOMO;
  readonly currencies: readonly string[];
  readonly needsPhone = true;
  readonly subscriptions = false;
  private readonly gateway: MtnMomoGateway;

  constructor(config: AppConfig) {
    this.currencies = MTN_MOMO_CURRENCIES[config.MTN_MOMO_ENVIRONMENT] ?? [];
    this.gateway = new MtnMomoGateway(config);
  }

  async createCheckout(order: CheckoutOrder): Promise<Checkout> {
    const { payerPhone } = order;
    if (payerPhone === null || !MSISDN.test(payerPhone))
      throw paymentsErrors.PHONE_REQUIRED({ provider: MTN_MOMO });
    const state = await this.gateway.ask('payment', order.paymentId, {
      ...this.amountOf(order),
      payer: partyOf(payerPhone),
      ...notesOf(order.description),
    });
    return { ...state, redirectUrl: null };
  }

  parseWebhook(request: WebhookRequest): Promise<ProviderEvent> {
    const { externalId, status } = readWebhook(request);
    const told = readExternalId(externalId);
    return Promise.resolve({
      eventId: createHash('sha256').update(request.rawBody).digest('hex'),
      type: `${told?.operation ?? 'unknown'}.${readCode(status)?.toLowerCase() ?? 'callback'}`,
      about: told?.operation ?? 'nothing',
      providerReference: told && referenceIdOf(told.id),
      ourId: told && told.id,
      state: null,
    });
  }

  async fetchState(payment: { paymentId: string }): Promise<ProviderState | null> {
    return await this.gateway.find('payment', payment.paymentId);
  }

  async refund(order: RefundOrder): Promise<ProviderState> {
    return await this.gateway.ask('refund', order.refundId, {
      ...this.amountOf(order),
      ...notesOf('Refund'),
      referenceIdToRefund: order.providerReference,
    });
  }

  async fetchRefund(refund: { refundId: string }): Promise<ProviderState | null> {
    return await this.gateway.find('refund', refund.refundId);
  }

  async payOut(order: PayoutOrder): Promise<ProviderState> {
    if (!MSISDN.test(order.destination))
      return stateOf(referenceIdOf(order.payoutId), failed('account_not_found'));
    return await this.gateway.ask('payout', order.payoutId, {
      ...this.amountOf(order),
      payee: partyOf(order.destination),
      ...notesOf(order.description),
    });
  }

  async fetchPayout(payout: { payoutId: string }): Promise<ProviderState | null> {
    return await this.gateway.find('payout', payout.payoutId);
  }

  cancelSubscription(): Promise<void> {
    return Promise.reject(paymentsErrors.PROVIDER_CANNOT_DO({ provider: MTN_MOMO }));
  }

  /** The API has no list of transactions. */
  list(): null {
    return null;
  }

  private amountOf(money: Money): { amount: string; currency: string } {
    if (!this.currencies.includes(money.currency))
      throw paymentsErrors.CURRENCY_NOT_TAKEN({ currency: money.currency, taken: this.currencies });
    return { amount: toDecimal(money), currency: money.currency };
  }
}

function partyOf(phone: string): { partyIdType: 'MSISDN'; partyId: string } {
  return { partyIdType: 'MSISDN', partyId: phone.slice(1) };
}

function notesOf(description: string): { payerMessage: string; payeeNote: string } {
  const note = plainText(description, NOTE_LENGTH) || 'Payment';
  return { payerMessage: note, payeeNote: note };
}
