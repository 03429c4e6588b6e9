import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Listed } from '../../../platform/http/answers.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { RequiresPermission } from '../../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { sessionErrors } from '../../auth/sessions/session.errors.js';
import {
  AdminWithdrawalDto,
  AdminWithdrawalsQuery,
  DecideWithdrawalDto,
  WithdrawalParam,
} from './dto/withdrawals.dto.js';
import { WithdrawalDecisionsService } from './withdrawal-decisions.service.js';
import { withdrawalsErrors } from './withdrawals.errors.js';
import { WithdrawalsService } from './withdrawals.service.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin/withdrawals')
export class WithdrawalsAdminController {
  constructor(
    private readonly withdrawals: WithdrawalsService,
    private readonly decisions: WithdrawalDecisionsService,
  ) {}

  @Get()
  @RequiresPermission('withdrawals.read')
  @Operation({
    summary: 'Withdrawals in one state, or that need an operator; the oldest first',
    answer: AdminWithdrawalDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async list(@Query() query: AdminWithdrawalsQuery): Promise<Listed<AdminWithdrawalDto>> {
    return await this.withdrawals.listAll(query);
  }

  @Post(':id/decide')
  @RequiresPermission('withdrawals.decide')
  @Operation({
    summary: 'Approve or reject a withdrawal that waits',
    description:
      'Approved it is paid out; rejected the money is available again. Asks the operator for a recent proof.',
    answer: AdminWithdrawalDto,
    errors: [
      sessionErrors.PROOF_TOO_OLD,
      withdrawalsErrors.WITHDRAWAL_NOT_FOUND,
      withdrawalsErrors.WITHDRAWAL_OWN,
      withdrawalsErrors.WITHDRAWAL_ALREADY_DECIDED,
    ],
  })
  async decide(
    @CurrentSubject() subject: Subject,
    @Param() { id }: WithdrawalParam,
    @Body() body: DecideWithdrawalDto,
  ): Promise<AdminWithdrawalDto> {
    return await this.decisions.decide(subject, id, body);
  }

  @Post(':id/resolve')
  @RequiresPermission('withdrawals.decide')
  @Operation({
    summary: 'Close what did not fit about a withdrawal',
    description:
      'Moves nothing: what had to be mended was mended at the provider. Asks the operator for a recent proof.',
    answer: AdminWithdrawalDto,
    errors: [
      sessionErrors.PROOF_TOO_OLD,
      withdrawalsErrors.WITHDRAWAL_NOT_FOUND,
      withdrawalsErrors.WITHDRAWAL_OWN,
      withdrawalsErrors.WITHDRAWAL_NOT_IN_REVIEW,
    ],
  })
  async resolve(
    @CurrentSubject() subject: Subject,
    @Param() { id }: WithdrawalParam,
  ): Promise<AdminWithdrawalDto> {
    return await this.decisions.resolve(subject, id);
  }
}
