import { Injectable } from '@nestjs/common';
import { DateTime } from 'luxon';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../../platform/database/unit-of-work.js';
import { httpErrors } from '../../../../platform/http/http.errors.js';
import { DeadlinesService } from '../../../../platform/jobs/deadlines.service.js';
import { SandboxBooksRepository, type SubscriptionRow } from './sandbox-books.repository.js';
import { newSandboxId, SANDBOX_DEADLINES, SandboxEventsService } from './sandbox-events.service.js';
import { type CheckoutRow, SandboxRepository } from './sandbox.repository.js';
import type { SandboxSubscription } from './sandbox.types.js';

const RETRY_MS = 86_400_000;
const TRIES = 3;

/** What is charged again each month, until it is cancelled or three charges in a row have failed, a day apart. */
@Injectable()
export class SandboxSubscriptionsService {
  constructor(
    private readonly books: SandboxBooksRepository,
    private readonly checkouts: SandboxRepository,
    private readonly events: SandboxEventsService,
    private readonly deadlines: DeadlinesService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** For the first payment, which is made in this transaction. The new one. */
  async open(
    manager: EntityManager,
    checkout: CheckoutRow,
    renewalsFail: boolean,
  ): Promise<{ id: string; periodEnd: Date }> {
    const id = newSandboxId('sub');
    const now = this.clock.now();
    const periodEnd = aMonthAfter(now);
    await this.books.insertSubscription(manager, {
      id,
      amount: checkout.amount,
      currency: checkout.currency,
      status: 'active',
      renewals_fail: renewalsFail,
      cancel_at_period_end: false,
      failures: 0,
      period_end: periodEnd,
      next_charge_at: periodEnd,
      created_at: now,
    });
    await this.deadlines.set(manager, SANDBOX_DEADLINES.renewal, { subject: id, dueAt: periodEnd });
    return { id, periodEnd };
  }

  /** It goes on until the paid period ends. Doing it twice does it once. Throws NOT_FOUND. */
  async cancel(id: string): Promise<SandboxSubscription> {
    return await this.unitOfWork.run(async (manager) => {
      const row = await this.books.lockSubscription(manager, id);
      if (!row) throw httpErrors.NOT_FOUND({ id });
      const cancelled = { ...row, cancel_at_period_end: true };
      await this.books.saveSubscription(manager, cancelled);
      return toObject(cancelled, null);
    });
  }

  /** Charges what is due, once however often it is asked to. */
  async renew(id: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const row = await this.books.lockSubscription(manager, id);
      if (row?.status !== 'active' || row.next_charge_at > this.clock.now()) return;
      if (row.cancel_at_period_end) await this.end(manager, row);
      else if (row.renewals_fail) await this.fail(manager, row);
      else await this.charge(manager, row);
    });
  }

  private async charge(manager: EntityManager, row: SubscriptionRow): Promise<void> {
    const now = this.clock.now();
    const checkoutId = newSandboxId('co');
    const periodEnd = aMonthAfter(row.period_end);
    await this.checkouts.insertCheckout(manager, {
      id: checkoutId,
      merchant_reference: null,
      recurring: true,
      subscription_id: row.id,
      amount: row.amount,
      currency: row.currency,
      description: 'Renewal',
      return_url: null,
      status: 'paid',
      created_at: now,
      expires_at: now,
      period_end: periodEnd,
      paid_at: now,
    });
    const renewed = { ...row, failures: 0, period_end: periodEnd, next_charge_at: periodEnd };
    await this.saveAndWait(manager, renewed);
    await this.events.publish(manager, 'subscription.renewed', toObject(renewed, checkoutId, row.period_end));
  }

  private async fail(manager: EntityManager, row: SubscriptionRow): Promise<void> {
    const failed = {
      ...row,
      failures: row.failures + 1,
      next_charge_at: new Date(row.next_charge_at.getTime() + RETRY_MS),
    };
    await this.events.publish(manager, 'subscription.renewal_failed', toObject(failed, null));
    if (failed.failures < TRIES) await this.saveAndWait(manager, failed);
    else await this.end(manager, failed);
  }

  private async end(manager: EntityManager, row: SubscriptionRow): Promise<void> {
    const ended = { ...row, status: 'cancelled' as const };
    await this.books.saveSubscription(manager, ended);
    await this.events.publish(manager, 'subscription.cancelled', toObject(ended, null));
  }

  private async saveAndWait(manager: EntityManager, row: SubscriptionRow): Promise<void> {
    await this.books.saveSubscription(manager, row);
    await this.deadlines.set(manager, SANDBOX_DEADLINES.renewal, {
      subject: row.id,
      dueAt: row.next_charge_at,
    });
  }
}

function aMonthAfter(instant: Date): Date {
  return DateTime.fromJSDate(instant, { zone: 'utc' }).plus({ months: 1 }).toJSDate();
}

function toObject(
  row: SubscriptionRow,
  checkout: string | null,
  periodStart: Date | null = null,
): SandboxSubscription {
  return {
    object: 'subscription',
    id: row.id,
    status: row.status,
    amount: Number(row.amount),
    currency: row.currency,
    periodStart: periodStart?.toISOString() ?? null,
    periodEnd: row.period_end.toISOString(),
    checkout,
  };
}
