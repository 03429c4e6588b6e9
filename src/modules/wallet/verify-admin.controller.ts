import { Controller, Get, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Operation } from '../../platform/http/operation.decorator.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { RequiresPermission } from '../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { LedgerVerificationDto, VerificationParam } from './dto/verify.dto.js';
import { VerificationsService } from './verifications.service.js';
import { verifyErrors } from './verify.errors.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin/ledger')
export class VerifyAdminController {
  constructor(private readonly verifications: VerificationsService) {}

  @Post('verify')
  @RequiresPermission('ledger.verify')
  @Operation({
    summary: 'Have the ledger proved now',
    description:
      'The worker reads all of it, at one moment, beside the running system: a second for some hundred thousand entries. Ask ' +
      'GET admin/ledger/verifications/{id} what was found. The same proof runs each night; both are in the audit log.',
    status: 202,
    answer: LedgerVerificationDto,
    errors: [verifyErrors.LEDGER_VERIFY_RUNNING],
  })
  async verify(@CurrentSubject() subject: Subject): Promise<LedgerVerificationDto> {
    return await this.verifications.request(subject.userId);
  }

  @Get('verifications/:id')
  @RequiresPermission('ledger.verify')
  @Operation({
    summary: 'How far a proof of the ledger is, and what it found',
    answer: LedgerVerificationDto,
    errors: [verifyErrors.LEDGER_VERIFICATION_NOT_FOUND],
  })
  async get(@Param() { id }: VerificationParam): Promise<LedgerVerificationDto> {
    return await this.verifications.describe(id);
  }
}
