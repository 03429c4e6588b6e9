import { Body, Controller, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { CurrentPlace } from '../../platform/geo/current-place.decorator.js';
import type { Place } from '../../platform/geo/place.js';
import type { Effect } from '../../platform/http/answers.js';
import { Idempotency, type IdempotencyKey } from '../../platform/http/idempotency.js';
import { Operation } from '../../platform/http/operation.decorator.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { checkoutErrors } from './checkout-errors.js';
import { CheckoutService } from './checkout.service.js';
import { CheckoutDto, StartDepositDto } from './dto/payments.dto.js';

@ApiTags('wallet')
@ApiBearerAuth('session')
@Controller('wallet')
export class DepositsController {
  constructor(private readonly checkouts: CheckoutService) {}

  @Operates('deposit')
  @Post('deposits')
  @Operation({
    summary: 'Begin a deposit; as POST payments/checkout does',
    status: 201,
    answer: CheckoutDto,
    idempotent: true,
    errors: checkoutErrors,
  })
  async deposit(
    @CurrentSubject() subject: Subject,
    @CurrentPlace() place: Place,
    @Body() { amount, currency, provider, phone }: StartDepositDto,
    @Idempotency() key: IdempotencyKey,
  ): Promise<Effect<CheckoutDto>> {
    return await this.checkouts.start(
      subject,
      place,
      { purpose: 'deposit', amount, currency, provider, phone },
      key,
    );
  }
}
