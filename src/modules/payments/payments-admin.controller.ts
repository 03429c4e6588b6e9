import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Effect, Listed } from '../../platform/http/answers.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { Idempotency, type IdempotencyKey } from '../../platform/http/idempotency.js';
import { Operation } from '../../platform/http/operation.decorator.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { RequiresPermission } from '../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { sessionErrors } from '../auth/sessions/session.errors.js';
import { DifferencesService } from './differences.service.js';
import { PaymentParam } from './dto/payments.dto.js';
import {
  AdminPaymentDto,
  DifferenceDto,
  DifferencesQuery,
  RefundDto,
  RefundPaymentDto,
  ResolveDifferenceDto,
} from './dto/refunds.dto.js';
import { paymentsErrors } from './payments.errors.js';
import { PaymentsService } from './payments.service.js';
import { RefundsService } from './refunds.service.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin/payments')
export class PaymentsAdminController {
  constructor(
    private readonly payments: PaymentsService,
    private readonly refunds: RefundsService,
    private readonly differences: DifferencesService,
  ) {}

  @Get('differences')
  @RequiresPermission('payments.read')
  @Operation({
    summary: "Where our books and a provider's differ, newest first",
    answer: DifferenceDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async listDifferences(@Query() query: DifferencesQuery): Promise<Listed<DifferenceDto>> {
    return await this.differences.list(query);
  }

  @Post('differences/:id/resolve')
  @RequiresPermission('payments.reconcile')
  @Operation({
    summary: 'Close a difference that was dealt with',
    answer: DifferenceDto,
    errors: [paymentsErrors.DIFFERENCE_NOT_FOUND],
  })
  async resolve(
    @CurrentSubject() subject: Subject,
    @Param() { id }: PaymentParam,
    @Body() { note }: ResolveDifferenceDto,
  ): Promise<DifferenceDto> {
    return await this.differences.resolve(subject, id, note);
  }

  @Get(':id')
  @RequiresPermission('payments.read')
  @Operation({
    summary: 'A payment and its refunds',
    answer: AdminPaymentDto,
    errors: [paymentsErrors.PAYMENT_NOT_FOUND],
  })
  async get(@Param() { id }: PaymentParam): Promise<AdminPaymentDto> {
    return await this.payments.inspect(id);
  }

  @Post(':id/refund')
  @RequiresPermission('payments.refund')
  @Operation({
    summary: 'Give a payment back, whole or in part',
    description:
      'The provider does it afterwards: `GET admin/payments/{id}` tells what became of it. Asks the operator for a recent proof.',
    status: 202,
    answer: RefundDto,
    idempotent: true,
    errors: [
      sessionErrors.PROOF_TOO_OLD,
      paymentsErrors.PAYMENT_NOT_FOUND,
      paymentsErrors.PAYMENT_NOT_REFUNDABLE,
      paymentsErrors.REFUND_TOO_LARGE,
      paymentsErrors.REFUND_NOT_COVERED,
    ],
  })
  async refund(
    @CurrentSubject() subject: Subject,
    @Param() { id }: PaymentParam,
    @Body() body: RefundPaymentDto,
    @Idempotency() key: IdempotencyKey,
  ): Promise<Effect<RefundDto>> {
    return await this.refunds.request(subject, id, body, key);
  }
}
