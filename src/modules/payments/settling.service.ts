import { Injectable } from '@nestjs/common';
import { DateTime } from 'luxon';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { newId } from '../../platform/database/ids.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import { complianceErrors } from '../compliance/compliance.errors.js';
import { ComplianceService } from '../compliance/compliance.service.js';
import { LedgerService } from '../wallet/ledger.service.js';
import type { AccountRef } from '../wallet/ledger.types.js';
import { paymentMachine } from './domain/payment-machine.js';
import { aside, clearing, orderedOf } from './payment-facts.js';
import { PaymentLimits } from './payment-limits.service.js';
import { paymentChanged, providerEventReceived, subscriptionEnding } from './payments.events.js';
import { PaymentsRepository } from './payments.repository.js';
import type { EventOutcome, PaymentRow } from './payments.types.js';
import type { Money, ProviderState } from './provider.js';
import { ProviderEventsRepository } from './provider-events.repository.js';
import { PurchasePort } from './purchase.port.js';
import { RefundsService } from './refunds.service.js';
import { SubscriptionsRepository } from './subscriptions.repository.js';

const ENDS = { failed: 'fail', expired: 'expire', cancelled: 'cancel' } as const;

/** What the money of a payment does: where it goes, and why it goes back if it does. */
interface Effect {
  readonly to: AccountRef;
  readonly subscriptionId: string | null;
  readonly periodEnd: Date | null;
  readonly refund: string | null;
}

/**
 * What a provider's word does to a payment, in the transaction of whoever heard it. The payment's row is locked by the caller, so
 * that words about one payment come one after the other however many bring them; the first about money books it, all the others
 * find it booked.
 */
@Injectable()
export class SettlingService {
  constructor(
    private readonly repository: PaymentsRepository,
    private readonly subscriptions: SubscriptionsRepository,
    private readonly events: ProviderEventsRepository,
    private readonly refunds: RefundsService,
    private readonly purchases: PurchasePort,
    private readonly compliance: ComplianceService,
    private readonly limits: PaymentLimits,
    private readonly ledger: LedgerService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly clock: Clock,
  ) {}

  async settle(manager: EntityManager, payment: PaymentRow, state: ProviderState): Promise<EventOutcome> {
    if (await this.isSecondMoney(manager, payment, state))
      return await this.flag(manager, payment, state.paid ?? orderedOf(payment), 'PAID_TWICE');
    await this.learn(manager, payment, state);
    switch (state.status) {
      case 'pending':
        return state.declined === true ? await this.decline(manager, payment) : 'stale';
      case 'succeeded':
        return await this.book(manager, payment, state);
      default:
        return await this.end(manager, payment, ENDS[state.status], state.failureCode);
    }
  }

  /** Ends a payment without money; what has money keeps it. */
  async end(
    manager: EntityManager,
    payment: PaymentRow,
    event: 'fail' | 'expire' | 'cancel',
    failureCode: string | null,
  ): Promise<EventOutcome> {
    const status = paymentMachine.next(payment.status, event);
    if (status === null) return 'stale';
    if (!(await this.repository.end(manager, payment.id, event, { failureCode, now: this.clock.now() })))
      return 'stale';
    await this.limits.ended(manager, payment);
    await this.tell(manager, { ...payment, status });
    return 'applied';
  }

  /** Somebody tries cards: each that is declined counts as a payment that failed, though this one may still be paid. */
  private async decline(manager: EntityManager, payment: PaymentRow): Promise<EventOutcome> {
    await this.repository.noteDeclined(manager, payment.id, this.clock.now());
    return 'applied';
  }

  /** Money that came for one that has some, under names that are none of that money's: a second checkout was paid. Nobody else would tell. */
  private async isSecondMoney(
    manager: EntityManager,
    payment: PaymentRow,
    state: ProviderState,
  ): Promise<boolean> {
    if (state.status !== 'succeeded' || payment.paid_amount === null) return false;
    return !(await this.repository.isKnownAs(manager, payment, namesOf(state)));
  }

  /** Keeps the names that the provider gives the payment, and wakes what was told under them before they were known. */
  private async learn(manager: EntityManager, payment: PaymentRow, state: ProviderState): Promise<void> {
    await this.repository.addReferences(manager, payment, namesOf(state));
    await this.wake(manager, payment.id);
  }

  /** Books the money that came: never more than once, and never as what was ordered when it is not that. */
  private async book(
    manager: EntityManager,
    payment: PaymentRow,
    state: ProviderState,
  ): Promise<EventOutcome> {
    if (paymentMachine.next(payment.status, 'succeed') === null) return 'stale';
    // A provider that tells no amount took the order as it was made, under our id.
    const paid = state.paid ?? orderedOf(payment);
    if (paid.amount <= 0n)
      throw new Error(`${payment.provider} says that nothing was paid for payment ${payment.id}`);
    const review = reviewOf(payment, paid);
    const effect =
      review === null
        ? await this.effectOf(manager, payment, state)
        : {
            to: aside('payment', payment.id, paid.currency),
            subscriptionId: payment.subscription_id,
            periodEnd: state.periodEnd ?? null,
            refund: null,
          };
    await this.limits.came(manager, payment, review === null && effect.refund === null);
    await this.ledger.post(manager, {
      reference: `payment:${payment.id}`,
      type: payment.purpose,
      legs: [
        { account: clearing(payment.provider, paid.currency), amount: -paid.amount },
        { account: effect.to, amount: paid.amount },
      ],
      metadata: { paymentId: payment.id },
      requestedBy: payment.user_id,
    });
    const booked = await this.repository.takeMoney(
      manager,
      payment.id,
      review === null ? 'succeed' : 'set_aside',
      {
        ...effect,
        paid,
        review: review ?? effect.refund,
        reference: state.providerReference,
        now: this.clock.now(),
      },
    );
    await this.tell(manager, booked);
    await this.wake(manager, payment.id);
    if (review !== null) return await this.flag(manager, payment, paid, review);
    if (effect.refund !== null)
      await this.refunds.reserve(manager, booked, {
        amount: paid.amount,
        reason: effect.refund,
        requestedBy: null,
      });
    return 'applied';
  }

  private async effectOf(manager: EntityManager, payment: PaymentRow, state: ProviderState): Promise<Effect> {
    const { purpose, currency, user_id: userId } = payment;
    if (purpose === 'deposit') return await this.deposited(manager, payment);
    const back = (reason: string) => ({ to: aside('payment', payment.id, currency), refund: reason });
    const subscription =
      purpose === 'subscription' ? await this.subscribe(manager, payment, state) : NO_SUBSCRIPTION;
    if (subscription.refund !== null) return { ...subscription, ...back(subscription.refund) };
    const limited = payment.subscription_id === null ? null : await this.limits.renew(manager, payment);
    if (limited?.forGood === true) await this.endSubscription(manager, subscription.subscriptionId);
    if (limited !== null) return { ...subscription, ...back(limited.code) };
    const effect = await this.purchases.get(purpose).paid(manager, {
      paymentId: payment.id,
      userId,
      purpose,
      amount: BigInt(payment.amount),
      currency,
      subject: payment.subject ?? '',
      periodStart: state.periodStart ?? null,
      periodEnd: subscription.periodEnd,
    });
    if ('refund' in effect && effect.refund === SELF_EXCLUDED)
      await this.endSubscription(manager, subscription.subscriptionId);
    return {
      ...subscription,
      ...('pays' in effect ? { to: effect.pays, refund: null } : back(effect.refund)),
    };
  }

  /** A provider's page stays open for hours: who was barred from paying since then gets it back, as with all that is bought. */
  private async deposited(
    manager: EntityManager,
    { id, user_id: userId, currency }: PaymentRow,
  ): Promise<Effect> {
    const barred = await this.compliance.enterGate(manager, userId);
    const to: AccountRef =
      barred === null ? { kind: 'user_available', owner: userId, currency } : aside('payment', id, currency);
    return { ...NO_SUBSCRIPTION, to, refund: barred };
  }

  /** The first payment of a subscription begins it; a renewal's has it already. Who has one keeps that, and gets this money back. */
  private async subscribe(
    manager: EntityManager,
    payment: PaymentRow,
    state: ProviderState,
  ): Promise<Omit<Effect, 'to'>> {
    const now = this.clock.now();
    const periodEnd =
      state.periodEnd ?? DateTime.fromJSDate(now, { zone: 'utc' }).plus({ months: 1 }).toJSDate();
    if (payment.subscription_id !== null) {
      const goesOn = await this.subscriptions.goesOn(manager, payment.subscription_id);
      // It was not told, or has not heard: each renewal would be charged and given back again.
      if (!goesOn)
        await this.outbox.publish(manager, subscriptionEnding, { subscriptionId: payment.subscription_id });
      return {
        subscriptionId: payment.subscription_id,
        periodEnd,
        refund: goesOn ? null : 'SUBSCRIPTION_ENDED',
      };
    }
    const id = newId();
    const begun = await this.subscriptions.begin(manager, {
      id,
      userId: payment.user_id,
      provider: payment.provider,
      reference: state.subscriptionReference ?? state.providerReference,
      price: orderedOf(payment),
      periodEnd,
      now,
    });
    if (!begun) await this.outbox.publish(manager, subscriptionEnding, { subscriptionId: id });
    return { subscriptionId: id, periodEnd, refund: begun ? null : 'SUBSCRIPTION_EXISTS' };
  }

  /** Who has excluded themselves, or limited what they pay, after they began: each renewal would be charged and given back again. */
  private async endSubscription(manager: EntityManager, id: string | null): Promise<void> {
    if (id === null || !(await this.subscriptions.end(manager, id, this.clock.now()))) return;
    await this.outbox.publish(manager, subscriptionEnding, { subscriptionId: id });
  }

  private async flag(
    manager: EntityManager,
    payment: PaymentRow,
    paid: Money,
    reason: string,
  ): Promise<EventOutcome> {
    await this.audit.record(manager, {
      actorId: null,
      action: 'payment.review',
      subjectType: 'payment',
      subjectId: payment.id,
      details: {
        reason,
        ordered: { amount: Number(payment.amount), currency: payment.currency },
        paid: { amount: Number(paid.amount), currency: paid.currency },
      },
    });
    return 'review';
  }

  private async wake(manager: EntityManager, paymentId: string): Promise<void> {
    for (const id of await this.events.wakeUnknown(manager, paymentId))
      await this.outbox.publish(manager, providerEventReceived, { id });
  }

  private async tell(
    manager: EntityManager,
    { id, user_id: userId, purpose, status }: PaymentRow,
  ): Promise<void> {
    await this.outbox.publish(manager, paymentChanged, { paymentId: id, userId, purpose, status });
  }
}

const SELF_EXCLUDED = complianceErrors.SELF_EXCLUDED.code;
const NO_SUBSCRIPTION = { subscriptionId: null, periodEnd: null, refund: null } as const;

function namesOf({ providerReference, alsoKnownAs }: ProviderState): string[] {
  return [providerReference, ...(alsoKnownAs ?? [])].filter(Boolean);
}

function reviewOf(payment: PaymentRow, paid: Money): string | null {
  if (paid.currency !== payment.currency) return 'CURRENCY_DIFFERS';
  return paid.amount === BigInt(payment.amount) ? null : 'AMOUNT_DIFFERS';
}
