import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import type { Subject } from '../../platform/security/subject.js';
import type { SubscriptionDto } from './dto/payments.dto.js';
import { PaymentProviders } from './payment-providers.js';
import { paymentsErrors } from './payments.errors.js';
import { subscriptionEnding } from './payments.events.js';
import { PaymentsRepository } from './payments.repository.js';
import type { EventOutcome, SubscriptionRow } from './payments.types.js';
import type { Money, SubscriptionChange } from './provider.js';
import { SettlingService } from './settling.service.js';
import { SubscriptionsRepository } from './subscriptions.repository.js';

/** What the provider calls a renewal's payment. */
interface PaymentNames {
  readonly reference: string | null;
  readonly alsoKnownAs: readonly string[];
}

/** The life of a subscription after its first payment: `active` → `past_due` → `active` again, or `cancelled`. */
@Injectable()
export class SubscriptionsService {
  constructor(
    private readonly repository: SubscriptionsRepository,
    private readonly payments: PaymentsRepository,
    private readonly settling: SettlingService,
    private readonly providers: PaymentProviders,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  async get({ userId }: Subject): Promise<SubscriptionDto> {
    const row = await this.repository.findOfUser(userId);
    if (!row) throw paymentsErrors.SUBSCRIPTION_NOT_FOUND();
    return toSubscriptionDto(row);
  }

  /** Ends it with the period that is paid. The provider is told by the worker, until it has heard. */
  async cancel({ userId }: Subject): Promise<SubscriptionDto> {
    const row = await this.end(userId, userId);
    if (!row) throw paymentsErrors.SUBSCRIPTION_NOT_FOUND();
    return toSubscriptionDto(row);
  }

  /** Whoever closes their account, or excludes themselves, pays no more, if they did. */
  async leave(userId: string): Promise<void> {
    await this.end(userId, null);
  }

  private async end(userId: string, actorId: string | null): Promise<SubscriptionRow | null> {
    return await this.unitOfWork.run(async (manager) => {
      const row = await this.repository.askToEnd(manager, userId);
      if (!row) return null;
      await this.outbox.publish(manager, subscriptionEnding, { subscriptionId: row.id });
      await this.audit.record(manager, {
        actorId,
        action: 'subscription.cancel',
        subjectType: 'subscription',
        subjectId: row.id,
        details: { periodEnd: row.period_end.toISOString() },
      });
      return row;
    });
  }

  /** Tells the provider. Said twice it is done once. */
  async tellEnding(subscriptionId: string): Promise<void> {
    const row = await this.repository.find(subscriptionId);
    if (row) await this.providers.get(row.provider).cancelSubscription(row.provider_reference);
  }

  /**
   * What the provider says of it; `names` are those of the renewal's payment. Of one whose beginning is not known yet it waits.
   */
  async apply(
    manager: EntityManager,
    provider: string,
    change: SubscriptionChange,
    names: PaymentNames,
  ): Promise<{ outcome: EventOutcome; paymentId: string | null }> {
    const subscription = await this.repository.lockByReference(
      manager,
      provider,
      change.subscriptionReference,
    );
    if (!subscription) return { outcome: 'unknown', paymentId: null };
    if (change.kind === 'renewed') return await this.renew(manager, subscription, change, names);
    const changed =
      change.kind === 'cancelled'
        ? await this.repository.end(manager, subscription.id, this.clock.now())
        : await this.repository.fallBehind(manager, subscription.id, names.reference);
    return { outcome: changed ? 'applied' : 'stale', paymentId: null };
  }

  /**
   * A payment of its own, which books the money. Periods are told in any order; one that has its payment is known by its end, the
   * first too when it is told as a renewal.
   */
  private async renew(
    manager: EntityManager,
    subscription: SubscriptionRow,
    { paid, periodStart, periodEnd }: SubscriptionChange,
    { reference, alsoKnownAs }: PaymentNames,
  ): Promise<{ outcome: EventOutcome; paymentId: string | null }> {
    if (periodEnd === null)
      throw new Error(`a renewal of subscription ${subscription.id} says not until when it is paid`);
    if (await this.repository.isPaid(manager, subscription.id, periodEnd))
      return { outcome: 'stale', paymentId: null };
    const providerReference =
      reference ?? `${subscription.provider_reference}:${periodEnd.toISOString().slice(0, 10)}`;
    const { payments, clock } = this;
    const price: Money = { amount: BigInt(subscription.amount), currency: subscription.currency };
    const id = newId();
    const first = await this.repository.firstPaymentOf(manager, subscription.id);
    await payments.insert(manager, {
      id,
      userId: subscription.user_id,
      purpose: 'subscription',
      subject: first?.subject ?? null,
      place: first?.place ?? null,
      subscriptionId: subscription.id,
      money: price,
      provider: subscription.provider,
      now: clock.now(),
      checkAt: clock.now(),
    });
    const payment = await payments.lock(manager, id);
    if (!payment) throw new Error(`payment ${id} vanished`);
    await this.repository.renew(manager, subscription.id, periodEnd);
    const outcome = await this.settling.settle(manager, payment, {
      providerReference,
      status: 'succeeded',
      paid,
      failureCode: null,
      periodStart: periodStart ?? null,
      periodEnd,
      alsoKnownAs,
    });
    return { outcome, paymentId: id };
  }

  /** Ends what was to end, whether or not the provider has told; how many. */
  async endOverdue(): Promise<number> {
    return await this.repository.endOverdue(this.clock.now());
  }
}

function toSubscriptionDto(row: SubscriptionRow): SubscriptionDto {
  return {
    id: row.id,
    status: row.status,
    provider: row.provider,
    amount: { amount: Number(row.amount), currency: row.currency },
    periodEnd: row.period_end.toISOString(),
    cancelAtPeriodEnd: row.cancel_at_period_end,
    createdAt: row.created_at.toISOString(),
  };
}
