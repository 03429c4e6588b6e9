import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import { RateLimitStorage } from '../../platform/security/rate-limit.storage.js';
import { TierCounts } from '../../platform/security/tier-counts.js';
import { DisputesService } from './disputes.service.js';
import { paymentMachine } from './domain/payment-machine.js';
import { readChange, readState, toStored } from './event-content.js';
import { PaymentProviders } from './payment-providers.js';
import { providerEventReceived } from './payments.events.js';
import { PaymentsRepository } from './payments.repository.js';
import type { EventOutcome } from './payments.types.js';
import { type PayoutOutcome, PayoutPort } from './payout.port.js';
import type { ProviderEvent, ProviderState, WebhookRequest } from './provider.js';
import { type ProviderEventRow, ProviderEventsRepository } from './provider-events.repository.js';
import { RefundsRepository } from './refunds.repository.js';
import { RefundsService } from './refunds.service.js';
import { SettlingService } from './settling.service.js';
import { SubscriptionsService } from './subscriptions.service.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

interface Applied {
  readonly outcome: EventOutcome;
  readonly paymentId: string | null;
}

/** Webhooks: verified and stored at the door, applied by the worker, once each. */
@Injectable()
export class ProviderEventsService {
  private readonly logger = new Logger('ProviderEvents');

  constructor(
    private readonly repository: ProviderEventsRepository,
    private readonly payments: PaymentsRepository,
    private readonly refunds: RefundsRepository,
    private readonly refundsService: RefundsService,
    private readonly settling: SettlingService,
    private readonly disputes: DisputesService,
    private readonly subscriptions: SubscriptionsService,
    private readonly payouts: PayoutPort,
    private readonly providers: PaymentProviders,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
    private readonly storage: RateLimitStorage,
    private readonly counts: TierCounts,
  ) {}

  /** Throws WEBHOOK_SIGNATURE_INVALID. What was here already is answered alike, so that the provider stops sending it. */
  async receive(providerName: string, request: WebhookRequest): Promise<void> {
    const event = await this.providers.get(providerName).parseWebhook(request);
    if (event.about === 'nothing') return;
    const proved = event.state !== null || event.change !== undefined;
    if (!proved && !(await this.isWorthAsking(providerName, event))) return;
    await this.unitOfWork.run(async (manager) => {
      const id = newId();
      const row = { id, provider: providerName, content: toStored(event), received_at: this.clock.now() };
      const { eventId } = event;
      if (await this.repository.insert(manager, { ...row, eventId, rawBody: request.rawBody }))
        await this.outbox.publish(manager, providerEventReceived, { id });
    });
  }

  /**
   * An event that proves nothing is kept only if it is about something of ours, and not many times: anyone may have sent it, as
   * often as they like, and each makes us ask the provider.
   */
  private async isWorthAsking(provider: string, event: ProviderEvent): Promise<boolean> {
    const subjectId = await this.findSubject(provider, event);
    if (subjectId === null) return false;
    const { limit, seconds } = this.rules.rateLimits.paymentCallbacks;
    const most = this.counts.scaled(limit);
    const count = await this.storage.increment(subjectId, seconds * 1000, most, 0, 'payment-callback');
    return !count.isBlocked;
  }

  /** Applies a stored event, unless that was done. The provider is asked first, where the event only says where to look. */
  async apply(id: string): Promise<void> {
    const event = await this.repository.find(id);
    if (!event) return;
    const { content, provider } = event;
    const subjectId = await this.findSubject(provider, content);
    const state = content.state ? readState(content.state) : await this.ask(event, subjectId);
    await this.unitOfWork.run(async (manager) => {
      if (!(await this.repository.lockUnapplied(manager, id))) return;
      const done = await this.applyIn(manager, event, subjectId, state);
      if (done.outcome === 'unknown') this.logger.warn(`${provider} tells of something unknown: event ${id}`);
      await this.repository.finish(manager, id, { ...done, now: this.clock.now() });
    });
  }

  private async applyIn(
    manager: EntityManager,
    { provider, content }: ProviderEventRow,
    subjectId: string | null,
    state: ProviderState | null,
  ): Promise<Applied> {
    const change = readChange(content);
    if (content.about === 'subscription')
      return change !== null && 'subscriptionReference' in change
        ? await this.subscriptions.apply(manager, provider, change, {
            reference: content.providerReference,
            alsoKnownAs: state?.alsoKnownAs ?? [],
          })
        : IGNORED;
    if (subjectId === null) return UNKNOWN;
    if (content.about === 'payout') return await this.applyPayout(manager, subjectId, state);
    if (content.about === 'refund')
      return state === null
        ? UNKNOWN
        : {
            outcome: await this.refundsService.settle(manager, subjectId, state),
            paymentId: await this.refunds.paymentOf(manager, subjectId),
          };
    const payment = await this.payments.lock(manager, subjectId);
    if (!payment) return UNKNOWN;
    if (content.about === 'dispute')
      return change !== null && 'disputeReference' in change
        ? { outcome: await this.disputes.apply(manager, payment, change), paymentId: payment.id }
        : IGNORED;
    if (state === null) return { outcome: 'stale', paymentId: payment.id };
    return { outcome: await this.settling.settle(manager, payment, state), paymentId: payment.id };
  }

  private async applyPayout(
    manager: EntityManager,
    payoutId: string,
    state: ProviderState | null,
  ): Promise<Applied> {
    if (state === null) return UNKNOWN;
    const outcome: PayoutOutcome = await this.payouts.settle(manager, payoutId, state);
    return { outcome, paymentId: null };
  }

  /** The provider's present word on what the event is about; null when it is not needed, or there is none. */
  private async ask(
    { provider: name, content }: ProviderEventRow,
    id: string | null,
  ): Promise<ProviderState | null> {
    if (id === null || content.change !== null) return null;
    const { providerReference } = content;
    const provider = this.providers.get(name);
    if (content.about === 'refund') return await provider.fetchRefund({ refundId: id, providerReference });
    if (content.about === 'payout') return await provider.fetchPayout({ payoutId: id, providerReference });
    const payment = await this.payments.find(id);
    if (payment?.provider !== name || paymentMachine.next(payment.status, 'succeed') === null) return null;
    return await provider.fetchState({
      paymentId: id,
      providerReference: payment.provider_reference ?? providerReference,
    });
  }

  /** Our id of the payment, refund or payout that an event is about. One provider has no say about another's. */
  private async findSubject(
    provider: string,
    {
      about,
      ourId = null,
      providerReference: reference,
    }: Pick<ProviderEvent, 'about' | 'ourId' | 'providerReference'>,
  ): Promise<string | null> {
    const id = ourId !== null && UUID.test(ourId) ? ourId : null;
    switch (about) {
      case 'payment':
      case 'dispute':
        if (id !== null && (await this.payments.find(id))?.provider === provider) return id;
        return reference === null ? null : await this.payments.findByReference(provider, reference);
      case 'refund': {
        const refund = id === null ? null : await this.refunds.find(id);
        if (refund && (await this.payments.find(refund.payment_id))?.provider === provider) return id;
        return reference === null ? null : await this.refunds.findByReference(provider, reference);
      }
      case 'payout':
        return await this.payouts.find(provider, { payoutId: id, reference });
      default:
        return null;
    }
  }
}

const UNKNOWN: Applied = { outcome: 'unknown', paymentId: null };
const IGNORED: Applied = { outcome: 'ignored', paymentId: null };
