import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../../platform/clock/clock.js';
import { AppConfig } from '../../../../platform/config/app-config.js';
import { UnitOfWork } from '../../../../platform/database/unit-of-work.js';
import { httpErrors } from '../../../../platform/http/http.errors.js';
import { DeadlinesService } from '../../../../platform/jobs/deadlines.service.js';
import type { CreateCheckoutDto } from './dto/sandbox.dto.js';
import { newSandboxId, SANDBOX_DEADLINES, SandboxEventsService } from './sandbox-events.service.js';
import { sandboxSettings } from './sandbox-settings.js';
import { SandboxSubscriptionsService } from './sandbox-subscriptions.service.js';
import { type CheckoutRow, SandboxRepository } from './sandbox.repository.js';
import type { SandboxCheckout, SandboxDelivery, SandboxEventType, SandboxOutcome } from './sandbox.types.js';

const EXPIRES_MS = 30 * 60_000;
const SECOND_MS = 1000;
const PAGE = 100;

/** When each event of a decision is sent, in milliseconds: of what it came to, and of what was on the way to it. */
const DELAYS: Record<SandboxDelivery, { outcome: number[]; processing: number[] }> = {
  at_once: { outcome: [0], processing: [] },
  late: { outcome: [30 * SECOND_MS], processing: [] },
  twice: { outcome: [0, SECOND_MS], processing: [] },
  out_of_order: { outcome: [0], processing: [5 * SECOND_MS] },
};
const SECOND_THOUGHTS_MS = 10 * SECOND_MS;

export interface Decision {
  readonly outcome: SandboxOutcome;
  readonly delivery: SandboxDelivery;
  /** Of a subscription: whether its renewals will not be paid. */
  readonly renewalsFail: boolean;
}

/** Checkouts: what a merchant asks for, and what somebody decides on the page. */
@Injectable()
export class SandboxCheckoutsService {
  constructor(
    private readonly repository: SandboxRepository,
    private readonly subscriptions: SandboxSubscriptionsService,
    private readonly events: SandboxEventsService,
    private readonly deadlines: DeadlinesService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /** One for each reference of the merchant. Throws IDEMPOTENCY_KEY_REUSED when that was used for something else. */
  async create(order: CreateCheckoutDto): Promise<SandboxCheckout> {
    const now = this.clock.now();
    await this.unitOfWork.run(async (manager) => {
      const id = newSandboxId('co');
      const expiresAt = new Date(now.getTime() + EXPIRES_MS);
      const fresh = await this.repository.insertCheckout(manager, {
        id,
        merchant_reference: order.merchantReference,
        recurring: order.recurring,
        subscription_id: null,
        amount: String(order.amount),
        currency: order.currency,
        description: order.description,
        return_url: order.returnUrl,
        status: 'open',
        created_at: now,
        expires_at: expiresAt,
        period_end: null,
        paid_at: null,
      });
      if (fresh)
        await this.deadlines.set(manager, SANDBOX_DEADLINES.expiry, { subject: id, dueAt: expiresAt });
    });
    const row = await this.repository.findCheckout({ merchantReference: order.merchantReference });
    if (
      row?.amount !== String(order.amount) ||
      row.currency !== order.currency ||
      row.recurring !== order.recurring
    )
      throw httpErrors.IDEMPOTENCY_KEY_REUSED({ merchantReference: order.merchantReference });
    return this.toObject(row);
  }

  /** Throws NOT_FOUND. */
  async get(id: string): Promise<SandboxCheckout> {
    return this.toObject(await this.row({ id }));
  }

  /** Throws NOT_FOUND. */
  async getByReference(merchantReference: string): Promise<SandboxCheckout> {
    return this.toObject(await this.row({ merchantReference }));
  }

  /** As the page shows it. Throws NOT_FOUND. */
  async row(by: { id: string } | { merchantReference: string }): Promise<CheckoutRow> {
    const row = await this.repository.findCheckout(by);
    if (!row) throw httpErrors.NOT_FOUND(by);
    return row;
  }

  /** What was paid in `[from, to)`, a page after the checkout named. */
  async paidBetween(from: Date, to: Date, after: string | undefined): Promise<SandboxCheckout[]> {
    const last = after === undefined ? null : await this.row({ id: after });
    const position = last?.paid_at ? { paidAt: last.paid_at, id: last.id } : null;
    const rows = await this.repository.paidBetween(from, to, position, PAGE);
    return rows.map((row) => this.toObject(row));
  }

  /**
   * What somebody chose on the page; once it is decided nothing more happens, but that what was declined may be paid after
   * all. Throws NOT_FOUND.
   */
  async decide(id: string, { outcome, delivery, renewalsFail }: Decision): Promise<CheckoutRow> {
    const delays = DELAYS[delivery];
    await this.unitOfWork.run(async (manager) => {
      switch (outcome) {
        case 'pay':
          return await this.pay(manager, id, delays, renewalsFail);
        case 'abandon':
          return await this.end(manager, id, 'cancelled', null, delays);
        case 'decline':
          return await this.end(manager, id, 'declined', 'card_declined', delays);
        case 'decline_then_pay': {
          await this.end(manager, id, 'declined', 'card_declined', delays);
          const dueAt = new Date(this.clock.now().getTime() + SECOND_THOUGHTS_MS);
          await this.deadlines.set(manager, SANDBOX_DEADLINES.latePayment, { subject: id, dueAt });
        }
      }
    });
    return await this.row({ id });
  }

  /** What was declined is paid after all: a late success, as real providers have them. */
  async payLate(id: string): Promise<void> {
    await this.unitOfWork.run((manager) => this.pay(manager, id, DELAYS.at_once, false));
  }

  /** Nobody came, or nobody decided. */
  async expire(id: string): Promise<void> {
    await this.unitOfWork.run((manager) => this.end(manager, id, 'expired', null, DELAYS.at_once));
  }

  private async pay(
    manager: EntityManager,
    id: string,
    delays: (typeof DELAYS)[SandboxDelivery],
    renewalsFail: boolean,
  ): Promise<void> {
    const asked = await this.repository.lockUndecided(manager, id, ['open', 'declined']);
    if (!asked) return;
    const subscription = asked.recurring ? await this.subscriptions.open(manager, asked, renewalsFail) : null;
    const paid = await this.repository.decide(manager, id, {
      status: 'paid',
      failureCode: null,
      subscription,
      paidAt: this.clock.now(),
    });
    await this.tell(manager, 'payment.succeeded', paid, delays);
  }

  private async end(
    manager: EntityManager,
    id: string,
    status: 'declined' | 'expired' | 'cancelled',
    failureCode: string | null,
    delays: (typeof DELAYS)[SandboxDelivery],
  ): Promise<void> {
    if (!(await this.repository.lockUndecided(manager, id, ['open']))) return;
    const ended = await this.repository.decide(manager, id, {
      status,
      failureCode,
      subscription: null,
      paidAt: null,
    });
    const types = {
      declined: 'payment.failed',
      expired: 'payment.expired',
      cancelled: 'payment.cancelled',
    } as const;
    await this.tell(manager, types[status], ended, delays);
  }

  private async tell(
    manager: EntityManager,
    type: SandboxEventType,
    row: CheckoutRow,
    { outcome, processing }: (typeof DELAYS)[SandboxDelivery],
  ): Promise<void> {
    await this.events.publish(manager, type, this.toObject(row), outcome);
    if (processing.length > 0)
      await this.events.publish(
        manager,
        'payment.processing',
        {
          ...this.toObject(row),
          status: 'open',
          failureCode: null,
          subscription: null,
          periodEnd: null,
          paidAt: null,
        },
        processing,
      );
  }

  private toObject(row: CheckoutRow): SandboxCheckout {
    return {
      object: 'checkout',
      id: row.id,
      merchantReference: row.merchant_reference,
      status: row.status,
      amount: Number(row.amount),
      currency: row.currency,
      failureCode: row.failure_code,
      subscription: row.subscription_id,
      periodEnd: row.period_end?.toISOString() ?? null,
      paidAt: row.paid_at?.toISOString() ?? null,
      url: `${sandboxSettings(this.config).url}/sandbox/pay/${row.id}`,
    };
  }
}
