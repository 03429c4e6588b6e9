import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Listed } from '../../platform/http/answers.js';
import { cursorPage, DEFAULT_LIMIT, readCursor } from '../../platform/http/pagination.js';
import type { Subject } from '../../platform/security/subject.js';
import { PendingMoneyPort } from '../wallet/pending-money.port.js';
import type { PaymentDto, PaymentsQuery } from './dto/payments.dto.js';
import type { AdminPaymentDto, DisputeDto } from './dto/refunds.dto.js';
import { paymentsErrors } from './payments.errors.js';
import { PaymentsRepository } from './payments.repository.js';
import type { PaymentRow } from './payments.types.js';
import { toRefundDto } from './refunds.service.js';
import { type DisputeRow, RefundsRepository } from './refunds.repository.js';

const PAYMENT_ID = [/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** Looking at payments, one's own and as an operator. */
@Injectable()
export class PaymentsService implements OnModuleInit {
  constructor(
    private readonly repository: PaymentsRepository,
    private readonly refunds: RefundsRepository,
    private readonly pendingMoney: PendingMoneyPort,
  ) {}

  onModuleInit(): void {
    this.pendingMoney.register(async (userIds) =>
      (await this.repository.pendingDeposits(userIds)).map(({ user_id: userId, currency, amount }) => ({
        userId,
        currency,
        amount: BigInt(amount),
      })),
    );
  }

  /** The caller's payments, newest first. */
  async list({ userId }: Subject, query: PaymentsQuery): Promise<Listed<PaymentDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const rows = await this.repository.ofUser(userId, {
      before: readCursor(query.cursor, PAYMENT_ID)?.[0] ?? null,
      limit: limit + 1,
      status: query.status ?? null,
      purpose: query.purpose ?? null,
    });
    return cursorPage(rows, limit, (row) => [row.id], toPaymentDto);
  }

  async get({ userId }: Subject, id: string): Promise<PaymentDto> {
    const row = await this.repository.find(id);
    if (row?.user_id !== userId) throw paymentsErrors.PAYMENT_NOT_FOUND({ paymentId: id });
    return toPaymentDto(row);
  }

  async inspect(id: string): Promise<AdminPaymentDto> {
    const row = await this.repository.find(id);
    if (!row) throw paymentsErrors.PAYMENT_NOT_FOUND({ paymentId: id });
    const [refunds, disputes] = await Promise.all([
      this.refunds.ofPayment(id),
      this.refunds.listDisputes(id),
    ]);
    return {
      ...toPaymentDto(row),
      userId: row.user_id,
      providerReference: row.provider_reference,
      review: row.review,
      refunds: refunds.map((refund) => toRefundDto(refund, row)),
      disputes: disputes.map(toDisputeDto),
    };
  }
}

function toDisputeDto(row: DisputeRow): DisputeDto {
  const isCharged = row.charge_id !== null && row.charge_returned_at === null;
  const [amount, charged] = [Number(row.amount), Number(row.charged ?? 0)];
  return {
    id: row.id,
    amount: { amount, currency: row.currency },
    outcome: row.outcome,
    charged: isCharged ? charged : 0,
    owed: isCharged ? amount - charged : 0,
    openedAt: row.opened_at.toISOString(),
    closedAt: row.closed_at?.toISOString() ?? null,
  };
}

function toPaymentDto(row: PaymentRow): Pick<PaymentDto, keyof PaymentDto> {
  const { paid_currency: paidIn } = row;
  const money = (amount: string | null) =>
    paidIn === null ? null : { amount: Number(amount), currency: paidIn };
  return {
    id: row.id,
    purpose: row.purpose,
    subject: row.subject,
    amount: { amount: Number(row.amount), currency: row.currency },
    paid: money(row.paid_amount),
    refunded: money(row.refunded),
    provider: row.provider,
    status: row.status,
    failureCode: row.failure_code,
    redirectUrl: row.status === 'pending' ? row.redirect_url : null,
    createdAt: row.created_at.toISOString(),
    confirmedAt: row.confirmed_at?.toISOString() ?? null,
  };
}
