import { timingSafeEqual } from 'node:crypto';
import { paymentsErrors } from '../../src/modules/payments/payments.errors.js';
import type {
  Checkout,
  CheckoutOrder,
  ListedPayment,
  Money,
  PaymentProvider,
  ProviderEvent,
  ProviderState,
  RefundOrder,
  WebhookRequest,
} from '../../src/modules/payments/provider.js';
import { type BankPayment, type BankRefund, type ScriptedBank, signature } from './scripted-bank.js';

const TOLERANCE_S = 300;

type BankMoney = { amount: number; currency: string };

/** Our side of the scripted bank: what an adapter is, and no more. */
export class ScriptedProvider implements PaymentProvider {
  readonly name = 'scripted';
  readonly currencies = ['USD', 'EUR', 'UGX'];
  readonly needsPhone = false;
  readonly subscriptions = true;

  constructor(private readonly bank: ScriptedBank) {}

  async createCheckout(order: CheckoutOrder): Promise<Checkout> {
    const { paymentId: id, purpose, currency } = order;
    const { status, body } = await this.call('POST', '/checkouts', {
      id,
      purpose,
      currency,
      amount: Number(order.amount),
    });
    if (status === 402)
      return {
        providerReference: '',
        status: 'failed',
        paid: null,
        failureCode: 'refused',
        redirectUrl: null,
      };
    if (status !== 200) throw paymentsErrors.PROVIDER_UNAVAILABLE({ retryAfter: 2 });
    const payment = body as BankPayment;
    return { ...stateOf(payment), redirectUrl: `${this.bank.url}/pay/${payment.reference}` };
  }

  async parseWebhook({ rawBody, headers }: WebhookRequest): Promise<ProviderEvent> {
    const { 'bank-time': time, 'bank-signature': given } = headers;
    const event = JSON.parse(rawBody.toString() || '{}');
    if (event.hint !== true) {
      const expected = Buffer.from(signature(String(time), rawBody));
      const right =
        typeof given === 'string' &&
        given.length === expected.length &&
        timingSafeEqual(Buffer.from(given), expected);
      const age = Math.abs(this.bank.now().getTime() / 1000 - Number(time));
      if (!right || !(age <= TOLERANCE_S)) throw paymentsErrors.WEBHOOK_SIGNATURE_INVALID();
    }
    const { change } = event;
    return Promise.resolve({
      eventId: event.id,
      type: event.type,
      about: event.about,
      providerReference: event.reference,
      ourId: event.ourId ?? null,
      state: event.state ? stateOf(event.state) : null,
      ...(change
        ? {
            change: {
              ...change,
              ...(change.disputed ? { disputed: moneyOf(change.disputed) } : {}),
              ...('paid' in change ? { paid: moneyOf(change.paid) } : {}),
              ...(change.periodStart ? { periodStart: new Date(change.periodStart) } : {}),
              ...('periodEnd' in change ? { periodEnd: change.periodEnd && new Date(change.periodEnd) } : {}),
            },
          }
        : {}),
    });
  }

  async fetchState(payment: {
    paymentId: string;
    providerReference: string | null;
  }): Promise<ProviderState | null> {
    const { paymentId, providerReference } = payment;
    const query = providerReference === null ? `id=${paymentId}` : `reference=${providerReference}`;
    return await this.find(`/payments?${query}`);
  }

  async refund({ refundId, providerReference, amount, currency }: RefundOrder): Promise<ProviderState> {
    const asked = { id: refundId, payment: providerReference, amount: Number(amount), currency };
    const { status, body } = await this.call('POST', '/refunds', asked);
    if (status !== 200) throw paymentsErrors.PROVIDER_UNAVAILABLE({ retryAfter: 2 });
    return stateOf(body as BankPayment | BankRefund);
  }

  async fetchRefund({ refundId }: { refundId: string }): Promise<ProviderState | null> {
    return await this.find(`/refunds?id=${refundId}`);
  }

  payOut(): Promise<ProviderState> {
    throw paymentsErrors.PROVIDER_CANNOT_DO();
  }

  fetchPayout(): Promise<ProviderState | null> {
    return Promise.resolve(null);
  }

  async cancelSubscription(subscription: string): Promise<void> {
    await this.call('POST', '/cancel', { subscription });
  }

  async *list(from: Date, to: Date): AsyncGenerator<ListedPayment> {
    const { body } = await this.call('GET', `/list?from=${from.toISOString()}&to=${to.toISOString()}`);
    for (const payment of body as BankPayment[])
      yield { ...stateOf(payment), paymentId: payment.id, at: new Date(payment.at) };
  }

  private async find(path: string): Promise<ProviderState | null> {
    const { status, body } = await this.call('GET', path);
    if (status === 404) return null;
    if (status !== 200) throw paymentsErrors.PROVIDER_UNAVAILABLE({ retryAfter: 2 });
    return stateOf(body as BankPayment | BankRefund);
  }

  private async call(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; body: unknown }> {
    try {
      const response = await fetch(`${this.bank.url}${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? null : JSON.parse(text) };
    } catch (error) {
      throw paymentsErrors.PROVIDER_UNAVAILABLE({ retryAfter: 2 }, { cause: error });
    }
  }
}

function stateOf(answer: BankPayment | BankRefund): ProviderState {
  const { reference: providerReference, status } = answer;
  if (!('aliases' in answer))
    return {
      providerReference,
      status,
      paid: moneyOf(answer),
      failureCode: status === 'failed' ? 'refused' : null,
    };
  return {
    providerReference,
    status,
    paid: moneyOf(answer.paid),
    failureCode: answer.failureCode,
    subscriptionReference: answer.subscription,
    periodEnd: answer.periodEnd === null ? null : new Date(answer.periodEnd),
    alsoKnownAs: answer.aliases,
  };
}

function moneyOf(money: BankMoney): Money;
function moneyOf(money: BankMoney | null): Money | null;
function moneyOf(money: BankMoney | null): Money | null {
  return money && { amount: BigInt(money.amount), currency: money.currency };
}
