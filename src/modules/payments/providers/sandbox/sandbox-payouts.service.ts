import { Injectable } from '@nestjs/common';
import { Clock } from '../../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../../platform/database/unit-of-work.js';
import { httpErrors } from '../../../../platform/http/http.errors.js';
import { DeadlinesService } from '../../../../platform/jobs/deadlines.service.js';
import type { CreatePayoutDto, CreateRefundDto } from './dto/sandbox.dto.js';
import { type PayoutRow, type RefundRow, SandboxBooksRepository } from './sandbox-books.repository.js';
import { newSandboxId, SANDBOX_DEADLINES, SandboxEventsService } from './sandbox-events.service.js';
import { SandboxRepository } from './sandbox.repository.js';
import type { SandboxPayout, SandboxRefund } from './sandbox.types.js';

const SECOND_MS = 1000;

interface Play {
  /** How it stands when it is answered, and how it ends. */
  readonly status: PayoutRow['status'];
  readonly outcome: PayoutRow['outcome'];
  /** Whether the answer is lost on its way, so that who asked cannot know. */
  readonly lost?: true;
}

/** What destinations make the sandbox play. Any other one is paid, a second later. */
const PLAYS: Readonly<Record<string, Play>> = {
  'sandbox:paid': { status: 'paid', outcome: 'paid' },
  'sandbox:failed': { status: 'failed', outcome: 'failed' },
  'sandbox:pending_failed': { status: 'pending', outcome: 'failed' },
  'sandbox:lost_paid': { status: 'paid', outcome: 'paid', lost: true },
  'sandbox:lost_failed': { status: 'failed', outcome: 'failed', lost: true },
};
const OUTAGE = 'sandbox:outage';
const USUAL: Play = { status: 'pending', outcome: 'paid' };
const FAILURE_CODE = 'account_closed';

/** Money that goes out: refunds of what was paid, and payouts. */
@Injectable()
export class SandboxPayoutsService {
  constructor(
    private readonly repository: SandboxRepository,
    private readonly books: SandboxBooksRepository,
    private readonly events: SandboxEventsService,
    private readonly deadlines: DeadlinesService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** One for each reference of the merchant. Throws VALIDATION_FAILED when there is not so much to give back. */
  async refund(order: CreateRefundDto): Promise<SandboxRefund> {
    await this.unitOfWork.run(async (manager) => {
      const row: RefundRow = {
        id: newSandboxId('re'),
        merchant_reference: order.merchantReference,
        checkout_id: order.checkout,
        amount: String(order.amount),
        currency: order.currency,
        created_at: this.clock.now(),
      };
      if (!(await this.repository.exists(manager, order.checkout)))
        throw httpErrors.NOT_FOUND({ id: order.checkout });
      if (!(await this.books.insertRefund(manager, row))) return;
      if (!(await this.repository.takeBack(manager, order.checkout, BigInt(order.amount), order.currency)))
        throw httpErrors.VALIDATION_FAILED({ problem: 'there is not so much left to give back' });
      await this.events.publish(manager, 'refund.succeeded', toRefund(row));
    });
    const refund = await this.getRefund(order.merchantReference);
    requireSame(order, refund, refund.checkout === order.checkout);
    return refund;
  }

  /** Throws NOT_FOUND. */
  async getRefund(merchantReference: string): Promise<SandboxRefund> {
    const row = await this.books.findRefund(merchantReference);
    if (!row) throw httpErrors.NOT_FOUND({ merchantReference });
    return toRefund(row);
  }

  /** One for each reference of the merchant. Throws IDEMPOTENCY_KEY_REUSED, SERVICE_UNAVAILABLE. */
  async payOut(order: CreatePayoutDto): Promise<SandboxPayout> {
    if (order.destination === OUTAGE) throw httpErrors.SERVICE_UNAVAILABLE();
    const { status, outcome, lost } = PLAYS[order.destination] ?? USUAL;
    const fresh = await this.unitOfWork.run(async (manager) => {
      const now = this.clock.now();
      const id = newSandboxId('po');
      const inserted = await this.books.insertPayout(manager, {
        id,
        merchant_reference: order.merchantReference,
        amount: String(order.amount),
        currency: order.currency,
        status,
        outcome,
        failure_code: outcome === 'failed' ? FAILURE_CODE : null,
        created_at: now,
      });
      if (inserted && status === 'pending') {
        const dueAt = new Date(now.getTime() + SECOND_MS);
        await this.deadlines.set(manager, SANDBOX_DEADLINES.payout, { subject: id, dueAt });
      }
      return inserted;
    });
    if (fresh && lost) throw httpErrors.SERVICE_UNAVAILABLE();
    const payout = await this.getPayout(order.merchantReference);
    requireSame(order, payout, true);
    return payout;
  }

  /** Throws NOT_FOUND. */
  async getPayout(merchantReference: string): Promise<SandboxPayout> {
    const row = await this.books.findPayout(merchantReference);
    if (!row) throw httpErrors.NOT_FOUND({ merchantReference });
    return toPayout(row);
  }

  /** The bank has answered. */
  async endPayout(id: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const row = await this.books.endPayout(manager, id);
      if (!row) return;
      const type = row.outcome === 'paid' ? 'payout.succeeded' : 'payout.failed';
      await this.events.publish(manager, type, toPayout(row));
    });
  }
}

function requireSame(
  order: { merchantReference: string; amount: number; currency: string },
  found: { amount: number; currency: string },
  rest: boolean,
): void {
  if (!rest || found.amount !== order.amount || found.currency !== order.currency)
    throw httpErrors.IDEMPOTENCY_KEY_REUSED({ merchantReference: order.merchantReference });
}

function toRefund(row: RefundRow): SandboxRefund {
  return {
    object: 'refund',
    id: row.id,
    merchantReference: row.merchant_reference,
    checkout: row.checkout_id,
    status: 'paid',
    amount: Number(row.amount),
    currency: row.currency,
  };
}

function toPayout(row: PayoutRow): SandboxPayout {
  return {
    object: 'payout',
    id: row.id,
    merchantReference: row.merchant_reference,
    status: row.status,
    amount: Number(row.amount),
    currency: row.currency,
    failureCode: row.status === 'failed' ? row.failure_code : null,
  };
}
