import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { AppConfig } from '../../platform/config/app-config.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Place } from '../../platform/geo/place.js';
import { Effect } from '../../platform/http/answers.js';
import { type IdempotencyKey, IdempotencyService } from '../../platform/http/idempotency.js';
import type { Subject } from '../../platform/security/subject.js';
import { barredError } from '../compliance/compliance.errors.js';
import { ComplianceService } from '../compliance/compliance.service.js';
import { JurisdictionsService } from '../compliance/jurisdictions.service.js';
import { KycService } from '../compliance/kyc/kyc.service.js';
import { PolicyService } from '../compliance/policy.service.js';
import { askAgainAt } from './domain/asking.js';
import { blockedUntil, failuresSince } from './domain/velocity.js';
import type { CheckoutDto, StartCheckoutDto } from './dto/payments.dto.js';
import { CheckoutsRepository } from './checkouts.repository.js';
import { placeText, PURCHASE } from './payment-facts.js';
import { PaymentLimits } from './payment-limits.service.js';
import { PaymentProviders } from './payment-providers.js';
import { paymentsErrors } from './payments.errors.js';
import { PaymentsRepository } from './payments.repository.js';
import type { PaymentPurpose, PaymentRow } from './payments.types.js';
import type { Checkout, Money, PaymentProvider } from './provider.js';
import { PurchasePort } from './purchase.port.js';
import { SettlingService } from './settling.service.js';
import { SubscriptionsRepository } from './subscriptions.repository.js';

/** For so long nobody else asks the provider for the same checkout, unless whoever does gives up before. */
const OPENING_MS = 30_000;
/** A duplicate looks so often, so long, whether the first has its answer. */
const LOOK_MS = 100;
const LOOKS = 50;
const MAX_FAILURES = 1000;
/** Without money, and never opened: the provider declined it as it was asked for. */
const ENDED: ReadonlySet<string> = new Set(['failed', 'expired', 'cancelled']);

const DESCRIPTIONS: Readonly<Record<PaymentPurpose, string>> = {
  week_pass: 'Week pass',
  subscription: 'Monthly subscription',
  buy_back: 'Buy-back',
  deposit: 'Deposit',
};

/**
 * Begins payments, in three steps that a crash may come between: the payment is written down, the provider is asked, its answer
 * is written down. The provider makes one checkout for an id of ours, so the same request goes on where the first was left; where
 * nobody asks again, reconciliation asks the provider.
 */
@Injectable()
export class CheckoutService {
  constructor(
    private readonly repository: CheckoutsRepository,
    private readonly payments: PaymentsRepository,
    private readonly subscriptions: SubscriptionsRepository,
    private readonly settling: SettlingService,
    private readonly providers: PaymentProviders,
    private readonly purchases: PurchasePort,
    private readonly compliance: ComplianceService,
    private readonly policy: PolicyService,
    private readonly kyc: KycService,
    private readonly jurisdictions: JurisdictionsService,
    private readonly limits: PaymentLimits,
    private readonly idempotency: IdempotencyService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
    private readonly config: AppConfig,
  ) {}

  /** The answer holds nothing that changes later, so that a replay is the first answer again. */
  async start(
    subject: Subject,
    place: Place,
    body: StartCheckoutDto,
    key: IdempotencyKey,
  ): Promise<Effect<CheckoutDto>> {
    // A deposit belongs to no product, what is bought does.
    if (body.purpose !== 'deposit') this.policy.require(subject, PURCHASE, place);
    const { userId } = subject;
    const money = this.priced(body);
    const provider = this.chosen(body);
    const scope = { userId, operation: 'payments.checkout', status: 201, now: this.clock.now() };
    const { data, replayed } = await this.unitOfWork.run((manager) =>
      this.idempotency.once(manager, scope, key, async () => ({
        paymentId: await this.write(manager, { userId, place, purpose: body.purpose, money }, provider),
      })),
    );
    const payment = await this.open(data.paymentId, body.phone ?? null);
    if (payment.opened_at === null)
      throw paymentsErrors.PAYMENT_DECLINED({ paymentId: payment.id, failureCode: payment.failure_code });
    return new Effect(toCheckoutDto(payment), payment.created_at, replayed);
  }

  private priced({ purpose, amount, currency }: StartCheckoutDto): Money {
    if (purpose === 'deposit') {
      const range = this.rules.payments.deposits[currency];
      if (!range)
        throw paymentsErrors.CURRENCY_NOT_TAKEN({
          currency,
          taken: Object.keys(this.rules.payments.deposits),
        });
      if (amount === undefined || amount < range.min || amount > range.max)
        throw paymentsErrors.AMOUNT_OUT_OF_RANGE({ field: 'amount', ...range, currency });
      return { amount: BigInt(amount), currency };
    }
    const prices = this.rules.payments.prices[purpose];
    const price = prices[currency];
    if (price === undefined)
      throw paymentsErrors.CURRENCY_NOT_TAKEN({ currency, taken: Object.keys(prices) });
    if (amount !== undefined && amount !== price)
      throw paymentsErrors.AMOUNT_OUT_OF_RANGE({ field: 'amount', min: price, max: price, currency });
    return { amount: BigInt(price), currency };
  }

  private chosen({ provider: name, purpose, currency, phone }: StartCheckoutDto): PaymentProvider {
    const fits = (provider: PaymentProvider) =>
      provider.currencies.includes(currency) && (purpose !== 'subscription' || provider.subscriptions);
    const provider = name === undefined ? this.providers.all.find(fits) : this.providers.get(name);
    if (!provider) throw paymentsErrors.PROVIDER_CANNOT_DO({ purpose, currency });
    if (!fits(provider))
      throw paymentsErrors.PROVIDER_CANNOT_DO({ provider: provider.name, purpose, currency });
    if (provider.needsPhone && phone === undefined)
      throw paymentsErrors.PHONE_REQUIRED({ field: 'phone', provider: provider.name });
    return provider;
  }

  /** The first step, after everything that may refuse it. */
  private async write(
    manager: EntityManager,
    order: { userId: string; place: Place; purpose: PaymentPurpose; money: Money },
    provider: PaymentProvider,
  ): Promise<string> {
    const { userId, place, purpose, money } = order;
    await this.repository.lockBuyer(manager, userId);
    const now = this.clock.now();
    await this.requireSlowness(manager, userId, now);
    if (purpose === 'subscription' && (await this.subscriptions.hasLive(manager, userId)))
      throw paymentsErrors.SUBSCRIPTION_EXISTS();
    const subject =
      purpose === 'deposit' ? null : await this.purchases.get(purpose).atCheckout(manager, userId);
    const barred = await this.compliance.enterGate(manager, userId);
    if (barred !== null) throw barredError(barred);
    if (purpose === 'deposit') await this.requireKnown(manager, userId, place, money);
    const id = newId();
    await this.limits.begin(manager, { id, ...order });
    await this.payments.insert(manager, {
      id,
      userId,
      purpose,
      subject,
      subscriptionId: null,
      money,
      provider: provider.name,
      place: placeText(place),
      now,
      checkAt: askAgainAt(now, 0, this.rules.payments.reconciliation.pendingMinutes),
    });
    return id;
  }

  /** What buys a pass or a period never leaves by a withdrawal, so that it is no part of this. */
  private async requireKnown(
    manager: EntityManager,
    userId: string,
    place: Place,
    money: Money,
  ): Promise<void> {
    await this.kyc.requireFor(manager, {
      userId,
      kind: 'deposit',
      money,
      before: async () => this.repository.depositedBy(manager, userId, money.currency),
      jurisdiction: this.jurisdictions.ofAnywhere(place),
    });
  }

  private async requireSlowness(manager: EntityManager, userId: string, now: Date): Promise<void> {
    const { velocity, openAtMost } = this.rules.payments;
    const begun = new Date(now.getTime() - velocity.minutes * 60_000);
    const since = { failed: failuresSince(now, velocity), begun };
    const { failedAt, open } = await this.repository.velocityOf(manager, userId, since, MAX_FAILURES);
    const until = blockedUntil(failedAt, now, velocity);
    if (until !== null)
      throw paymentsErrors.DEPOSITS_BLOCKED({
        until: until.toISOString(),
        retryAfter: Math.ceil((until.getTime() - now.getTime()) / 1000),
      });
    if (open >= openAtMost) throw paymentsErrors.TOO_MANY_OPEN_PAYMENTS({ open, limit: openAtMost });
  }

  /** The second and third step, by one request at a time: duplicates wait for it. */
  private async open(paymentId: string, phone: string | null): Promise<PaymentRow> {
    for (let look = 0; look < LOOKS; look += 1) {
      const payment = await this.payments.find(paymentId);
      if (!payment) throw new Error(`payment ${paymentId} vanished`);
      if (payment.opened_at !== null || ENDED.has(payment.status)) return payment;
      const now = this.clock.now();
      if (await this.repository.claimOpening(paymentId, now, new Date(now.getTime() + OPENING_MS)))
        return await this.ask(payment, phone);
      await sleep(LOOK_MS);
    }
    throw paymentsErrors.IDEMPOTENCY_IN_PROGRESS({ retryAfter: 1 });
  }

  private async ask(payment: PaymentRow, phone: string | null): Promise<PaymentRow> {
    const { id, purpose, currency } = payment;
    const order = {
      paymentId: id,
      purpose,
      amount: BigInt(payment.amount),
      currency,
      description: DESCRIPTIONS[purpose],
      returnUrl: `${this.config.APP_URL}/payments/${id}`,
      payerPhone: phone,
    };
    try {
      return await this.noteOpened(id, await this.providers.get(payment.provider).createCheckout(order));
    } catch (error) {
      await this.repository.giveUpOpening(id);
      throw error;
    }
  }

  private async noteOpened(id: string, checkout: Checkout): Promise<PaymentRow> {
    return await this.unitOfWork.run(async (manager) => {
      const payment = await this.payments.lock(manager, id);
      if (!payment) throw new Error(`payment ${id} vanished`);
      if (checkout.status === 'pending' || checkout.status === 'succeeded') {
        const now = this.clock.now();
        await this.repository.opened(manager, id, {
          reference: checkout.providerReference,
          redirectUrl: checkout.redirectUrl,
          now,
          checkAt: askAgainAt(now, 0, this.rules.payments.reconciliation.pendingMinutes),
        });
      }
      await this.settling.settle(manager, (await this.payments.lock(manager, id)) ?? payment, checkout);
      return (await this.payments.lock(manager, id)) ?? payment;
    });
  }
}

function toCheckoutDto(row: PaymentRow): CheckoutDto {
  return {
    paymentId: row.id,
    purpose: row.purpose,
    amount: { amount: Number(row.amount), currency: row.currency },
    provider: row.provider,
    redirectUrl: row.redirect_url,
    createdAt: row.created_at.toISOString(),
  };
}
