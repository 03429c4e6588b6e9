import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { askAgainAt } from './domain/asking.js';
import { PaymentProviders } from './payment-providers.js';
import { PaymentsRepository } from './payments.repository.js';
import type { PaymentRow, RefundRow } from './payments.types.js';
import { ProviderEventsRepository } from './provider-events.repository.js';
import { ProviderEventsService } from './provider-events.service.js';
import { RefundsRepository } from './refunds.repository.js';
import { RefundsService } from './refunds.service.js';
import { SettlingService } from './settling.service.js';

const BATCH = 50;
/** What a worker has claimed and not finished is another's after so long. */
const CLAIM_MS = 5 * 60_000;
/** An event that is not applied by then has lost its job. */
const LOST_AFTER_MS = 2 * 60_000;
const HOUR_MS = 3_600_000;

/** Nothing is left in doubt: whoever has had no word for too long is asked. From Postgres alone, so that lost jobs lose nothing. */
@Injectable()
export class ChecksService {
  private readonly logger = new Logger('PaymentChecks');

  constructor(
    private readonly payments: PaymentsRepository,
    private readonly refunds: RefundsRepository,
    private readonly events: ProviderEventsRepository,
    private readonly refundsService: RefundsService,
    private readonly eventsService: ProviderEventsService,
    private readonly settling: SettlingService,
    private readonly providers: PaymentProviders,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** One batch of each; true when there may be more. What fails is told, asked again later, and holds up nothing else. */
  async run(): Promise<boolean> {
    const now = this.clock.now();
    const until = new Date(now.getTime() + CLAIM_MS);
    const payments = await this.payments.claimChecks(now, until, BATCH);
    for (const payment of payments)
      await this.attempt(`payment ${payment.id}`, () => this.checkPayment(payment));
    const refunds = await this.refunds.claimChecks(now, until, BATCH);
    for (const refund of refunds) await this.attempt(`refund ${refund.id}`, () => this.checkRefund(refund));
    await this.events.wakeKnown(BATCH);
    for (const id of await this.events.waitingSince(new Date(now.getTime() - LOST_AFTER_MS), BATCH))
      await this.attempt(`event ${id}`, () => this.eventsService.apply(id));
    return payments.length === BATCH || refunds.length === BATCH;
  }

  /** Asks the provider of a payment that has no last word yet. */
  private async checkPayment(payment: PaymentRow): Promise<void> {
    const { id, provider_reference: providerReference } = payment;
    const { pendingMinutes, giveUpHours } = this.rules.payments.reconciliation;
    const again = () =>
      this.payments.checkAgain(id, askAgainAt(this.clock.now(), payment.checks + 1, pendingMinutes));
    const state = await this.providers
      .get(payment.provider)
      .fetchState({ paymentId: id, providerReference })
      .catch(async (error: unknown) => {
        await again(); // nothing is given up because its provider cannot be asked
        throw error;
      });
    const isOld = this.clock.now().getTime() - payment.created_at.getTime() >= giveUpHours * HOUR_MS;
    const open = await this.unitOfWork.run(async (manager) => {
      const locked = await this.payments.lock(manager, id);
      if (!locked) return false;
      if (state !== null) await this.settling.settle(manager, locked, state);
      if (state !== null && state.status !== 'pending') return false;
      // What the provider has never heard of was never begun there: the request that would have has died.
      if (!isOld && !(state === null && payment.opened_at === null)) return true;
      await this.settling.end(
        manager,
        locked,
        'expire',
        state === null ? 'unknown_to_provider' : 'never_finished',
      );
      return false;
    });
    if (open) await again();
  }

  private async checkRefund(refund: RefundRow): Promise<void> {
    const { pendingMinutes } = this.rules.payments.reconciliation;
    await this.refunds.checkAgain(refund.id, askAgainAt(this.clock.now(), refund.checks, pendingMinutes));
    await this.refundsService.perform(refund.id);
  }

  private async attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.error({ err: error as Error }, `cannot check ${what}`);
    }
  }
}
