import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { CurrentPlace } from '../../platform/geo/current-place.decorator.js';
import type { Place } from '../../platform/geo/place.js';
import type { Effect, Listed } from '../../platform/http/answers.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { Idempotency, type IdempotencyKey } from '../../platform/http/idempotency.js';
import { Operation } from '../../platform/http/operation.decorator.js';
import { AllowedWhenIdle } from '../../platform/security/idle.decorators.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { checkoutErrors } from './checkout-errors.js';
import { CheckoutService } from './checkout.service.js';
import {
  CheckoutDto,
  PaymentDto,
  PaymentParam,
  PaymentsQuery,
  StartCheckoutDto,
  SubscriptionDto,
} from './dto/payments.dto.js';
import { paymentsErrors } from './payments.errors.js';
import { PaymentsService } from './payments.service.js';
import { SubscriptionsService } from './subscriptions.service.js';

@ApiTags('payments')
@ApiBearerAuth('session')
@Operates('account')
@Controller('payments')
export class PaymentsController {
  constructor(
    private readonly checkouts: CheckoutService,
    private readonly payments: PaymentsService,
    private readonly subscriptions: SubscriptionsService,
  ) {}

  @Operates('deposit')
  @Post('checkout')
  @Operation({
    summary: 'Begin a payment: of a week pass, a subscription, a buy-back or a deposit',
    description:
      'Send the payer to `redirectUrl`, or let them confirm on their phone where it is null; `GET payments/{id}` tells what became of ' +
      'it. Also refused by whatever refuses what is bought.',
    status: 201,
    answer: CheckoutDto,
    idempotent: true,
    errors: checkoutErrors,
  })
  async checkout(
    @CurrentSubject() subject: Subject,
    @CurrentPlace() place: Place,
    @Body() body: StartCheckoutDto,
    @Idempotency() key: IdempotencyKey,
  ): Promise<Effect<CheckoutDto>> {
    return await this.checkouts.start(subject, place, body, key);
  }

  @Get()
  @Operation({
    summary: "The caller's payments, newest first",
    answer: PaymentDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async list(@CurrentSubject() subject: Subject, @Query() query: PaymentsQuery): Promise<Listed<PaymentDto>> {
    return await this.payments.list(subject, query);
  }

  @Get('subscription')
  @Operation({
    summary: "The caller's subscription, or the last one that ended",
    answer: SubscriptionDto,
    errors: [paymentsErrors.SUBSCRIPTION_NOT_FOUND],
  })
  async subscription(@CurrentSubject() subject: Subject): Promise<SubscriptionDto> {
    return await this.subscriptions.get(subject);
  }

  @Delete('subscription')
  @AllowedWhenIdle('to stop paying must never be hard')
  @Operation({
    summary: 'End the subscription with the period that is paid',
    answer: SubscriptionDto,
    errors: [paymentsErrors.SUBSCRIPTION_NOT_FOUND],
  })
  async cancel(@CurrentSubject() subject: Subject): Promise<SubscriptionDto> {
    return await this.subscriptions.cancel(subject);
  }

  @Get(':id')
  @Operation({
    summary: "One of the caller's payments",
    answer: PaymentDto,
    errors: [paymentsErrors.PAYMENT_NOT_FOUND],
  })
  async get(@CurrentSubject() subject: Subject, @Param() { id }: PaymentParam): Promise<PaymentDto> {
    return await this.payments.get(subject, id);
  }
}
