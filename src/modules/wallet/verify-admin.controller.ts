import { Controller, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Operation } from '../../platform/http/operation.decorator.js';
import { RequiresPermission } from '../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { LedgerReportDto } from './dto/verify.dto.js';
import { verifyErrors } from './verify.errors.js';
import { VerifyService } from './verify.service.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Controller('admin/ledger')
export class VerifyAdminController {
  constructor(private readonly verifier: VerifyService) {}

  @Post('verify')
  @RequiresPermission('ledger.verify')
  @Operation({
    summary: 'Prove the ledger now, and tell what was found',
    description:
      'Reads all of it, at one moment, beside the running system: a second for some hundred thousand entries. The same ' +
      'proof runs each night; both are in the audit log.',
    answer: LedgerReportDto,
    errors: [verifyErrors.LEDGER_VERIFY_RUNNING],
  })
  async verify(@CurrentSubject() subject: Subject): Promise<LedgerReportDto> {
    return await this.verifier.verify(subject.userId);
  }
}
