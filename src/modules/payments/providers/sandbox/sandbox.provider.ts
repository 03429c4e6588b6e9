import { timingSafeEqual } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../../../../platform/clock/clock.js';
import { AppConfig } from '../../../../platform/config/app-config.js';
import { PaymentProviders } from '../../payment-providers.js';
import { paymentsErrors } from '../../payments.errors.js';
import type {
  Checkout,
  CheckoutOrder,
  ListedPayment,
  PaymentProvider,
  PayoutOrder,
  ProviderEvent,
  ProviderState,
  RefundOrder,
  WebhookRequest,
} from '../../provider.js';
import { eventOf, stateOf } from './sandbox-words.js';
import { sandboxSettings, signatureOf } from './sandbox-settings.js';
import type { SandboxCheckout, SandboxEvent, SandboxPayout, SandboxRefund } from './sandbox.types.js';

const TIMEOUT_MS = 10_000;
const TOLERANCE_MS = 5 * 60_000;
const SIGNATURE = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/;

/** How the sandbox refused: nothing was done, whatever is asked again. */
class SandboxRefusal extends Error {
  constructor(readonly status: number) {
    super(`the sandbox answered ${status}`);
    this.name = 'SandboxRefusal';
  }
}

/** Speaks to the sandbox as to any other provider: over HTTP, by its key, believing signed webhooks only. */
@Injectable()
export class SandboxProvider implements PaymentProvider, OnModuleInit {
  readonly name = 'sandbox';
  readonly currencies = ['USD', 'EUR', 'GBP', 'CAD', 'XAF', 'XOF', 'UGX', 'KES', 'RWF', 'KWD'];
  readonly needsPhone = false;
  readonly subscriptions = true;

  constructor(
    private readonly config: AppConfig,
    private readonly clock: Clock,
    private readonly providers: PaymentProviders,
  ) {}

  onModuleInit(): void {
    this.providers.register(this);
  }

  async createCheckout(order: CheckoutOrder): Promise<Checkout> {
    try {
      const checkout = await this.post<SandboxCheckout>('checkouts', {
        ...moneyOf(order),
        merchantReference: order.paymentId,
        recurring: order.purpose === 'subscription',
        description: order.description,
        returnUrl: order.returnUrl,
      });
      return { ...stateOf(checkout), redirectUrl: checkout.url };
    } catch (error) {
      if (error instanceof SandboxRefusal) return { ...refused(order.paymentId, error), redirectUrl: null };
      throw paymentsErrors.PROVIDER_UNAVAILABLE({ provider: this.name }, { cause: error });
    }
  }

  parseWebhook({ rawBody, headers }: WebhookRequest): Promise<ProviderEvent> {
    this.verify(rawBody, headers['sandbox-signature']);
    return Promise.resolve(eventOf(JSON.parse(rawBody.toString('utf8')) as SandboxEvent));
  }

  async fetchState(payment: {
    paymentId: string;
    providerReference: string | null;
  }): Promise<ProviderState | null> {
    const { paymentId, providerReference } = payment;
    const path =
      providerReference === null
        ? `checkouts?merchantReference=${encodeURIComponent(paymentId)}`
        : `checkouts/${encodeURIComponent(providerReference)}`;
    return await this.find(path);
  }

  async refund(order: RefundOrder): Promise<ProviderState> {
    const body = {
      ...moneyOf(order),
      merchantReference: order.refundId,
      checkout: order.providerReference,
    };
    return await this.orFailed(order.refundId, () => this.post<SandboxRefund>('refunds', body));
  }

  async fetchRefund({ refundId }: { refundId: string }): Promise<ProviderState | null> {
    return await this.find(`refunds?merchantReference=${encodeURIComponent(refundId)}`);
  }

  async payOut(order: PayoutOrder): Promise<ProviderState> {
    const body = {
      ...moneyOf(order),
      merchantReference: order.payoutId,
      destination: order.destination,
    };
    return await this.orFailed(order.payoutId, () => this.post<SandboxPayout>('payouts', body));
  }

  async fetchPayout({ payoutId }: { payoutId: string }): Promise<ProviderState | null> {
    return await this.find(`payouts?merchantReference=${encodeURIComponent(payoutId)}`);
  }

  async cancelSubscription(subscriptionReference: string): Promise<void> {
    await this.post(`subscriptions/${encodeURIComponent(subscriptionReference)}/cancel`, {});
  }

  async *list(from: Date, to: Date): AsyncGenerator<ListedPayment> {
    const range = `from=${from.toISOString()}&to=${to.toISOString()}`;
    let after = '';
    for (;;) {
      const page = await this.call<SandboxCheckout[]>('GET', `checkouts/paid?${range}${after}`);
      for (const checkout of page)
        yield {
          ...stateOf(checkout),
          paymentId: checkout.merchantReference,
          at: new Date(checkout.paidAt ?? from),
        };
      const last = page.at(-1);
      if (last === undefined) return;
      after = `&after=${encodeURIComponent(last.id)}`;
    }
  }

  /** Throws WEBHOOK_SIGNATURE_INVALID. */
  private verify(rawBody: Buffer, header: string | string[] | undefined): void {
    const [, time, given] = SIGNATURE.exec(typeof header === 'string' ? header : '') ?? [];
    if (time === undefined || given === undefined) throw paymentsErrors.WEBHOOK_SIGNATURE_INVALID();
    const { webhookSecret } = sandboxSettings(this.config);
    const expected = signatureOf(webhookSecret, Number(time), rawBody);
    const right = timingSafeEqual(Buffer.from(given, 'hex'), expected);
    const age = Math.abs(this.clock.now().getTime() - Number(time) * 1000);
    if (!right || age > TOLERANCE_MS) throw paymentsErrors.WEBHOOK_SIGNATURE_INVALID();
  }

  /** What the sandbox refuses will never be done; what it does not answer may have been, and is asked about later. */
  private async orFailed(
    reference: string,
    ask: () => Promise<SandboxRefund | SandboxPayout>,
  ): Promise<ProviderState> {
    try {
      return stateOf(await ask());
    } catch (error) {
      if (!(error instanceof SandboxRefusal)) throw error;
      return refused(reference, error);
    }
  }

  private async find(path: string): Promise<ProviderState | null> {
    try {
      return stateOf(await this.call<SandboxCheckout | SandboxRefund | SandboxPayout>('GET', path));
    } catch (error) {
      if (error instanceof SandboxRefusal && error.status === 404) return null;
      throw error;
    }
  }

  private async post<Answer>(path: string, body: object): Promise<Answer> {
    return await this.call<Answer>('POST', path, JSON.stringify(body));
  }

  /** Throws SandboxRefusal for what was refused for good, and any other error when nobody knows what was done. */
  private async call<Answer>(method: 'GET' | 'POST', path: string, body?: string): Promise<Answer> {
    const { url, apiKey } = sandboxSettings(this.config);
    const response = await fetch(`${url}/sandbox/v1/${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${apiKey}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
      redirect: 'error', // the key goes nowhere else
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) return (await response.json()) as Answer;
    await response.body?.cancel();
    if ([400, 404, 409, 422].includes(response.status)) throw new SandboxRefusal(response.status);
    throw new Error(`the sandbox answered ${response.status}`);
  }
}

function refused(providerReference: string, { status }: SandboxRefusal): ProviderState {
  return { providerReference, status: 'failed', paid: null, failureCode: `refused_${status}` };
}

function moneyOf({ amount, currency }: { amount: bigint; currency: string }): {
  amount: number;
  currency: string;
} {
  if (amount > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('more than the sandbox can count');
  return { amount: Number(amount), currency };
}
