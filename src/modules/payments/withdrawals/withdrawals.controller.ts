import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { CurrentPlace } from '../../../platform/geo/current-place.decorator.js';
import type { Place } from '../../../platform/geo/place.js';
import type { Effect, Listed } from '../../../platform/http/answers.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { Idempotency, type IdempotencyKey } from '../../../platform/http/idempotency.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { CursorQuery } from '../../../platform/http/pagination.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { sessionErrors } from '../../auth/sessions/session.errors.js';
import { withdrawalRulesErrors } from '../../compliance/compliance.errors.js';
import { kycRequiredErrors } from '../../compliance/kyc.errors.js';
import { walletErrors } from '../../wallet/wallet.errors.js';
import { paymentsErrors } from '../payments.errors.js';
import { RequestWithdrawalDto, WithdrawalDto } from './dto/withdrawals.dto.js';
import { withdrawalsErrors } from './withdrawals.errors.js';
import { WithdrawalsService } from './withdrawals.service.js';

@ApiTags('wallet')
@ApiBearerAuth('session')
@Operates('account')
@Controller('wallet/withdrawals')
export class WithdrawalsController {
  constructor(private readonly withdrawals: WithdrawalsService) {}

  @Operates('withdraw')
  @Post()
  @Operation({
    summary: "Withdraw money of the caller's wallet",
    description:
      'Held at once, and paid out when it is `approved`: by itself below a threshold, by an operator above it. What takes the ' +
      'withdrawals of 30 days above the threshold of the place needs the identity to be known. Asks for a recent ' +
      'proof. An exclusion or a time-out does not stand in the way.',
    status: 201,
    answer: WithdrawalDto,
    idempotent: true,
    errors: [
      sessionErrors.PROOF_TOO_OLD,
      paymentsErrors.PAYMENT_PROVIDER_UNKNOWN,
      paymentsErrors.CURRENCY_NOT_TAKEN,
      paymentsErrors.AMOUNT_OUT_OF_RANGE,
      paymentsErrors.PHONE_REQUIRED,
      withdrawalRulesErrors.WITHDRAWAL_COOLING_OFF,
      kycRequiredErrors.KYC_REQUIRED,
      withdrawalsErrors.TOO_MANY_OPEN_WITHDRAWALS,
      walletErrors.INSUFFICIENT_FUNDS,
    ],
  })
  async request(
    @CurrentSubject() subject: Subject,
    @CurrentPlace() place: Place,
    @Body() body: RequestWithdrawalDto,
    @Idempotency() key: IdempotencyKey,
  ): Promise<Effect<WithdrawalDto>> {
    return await this.withdrawals.request(subject, place, body, key);
  }

  @Get()
  @Operation({
    summary: "The caller's withdrawals; the newest first",
    answer: WithdrawalDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async list(
    @CurrentSubject() subject: Subject,
    @Query() query: CursorQuery,
  ): Promise<Listed<WithdrawalDto>> {
    return await this.withdrawals.list(subject, query);
  }
}
