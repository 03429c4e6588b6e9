import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Listed } from '../http/answers.js';
import { httpErrors } from '../http/http.errors.js';
import { Operation } from '../http/operation.decorator.js';
import { RequiresPermission } from '../security/requires-permission.decorator.js';
import { AuditEntryDto, AuditQuery } from './audit-log.dto.js';
import { AuditLogService } from './audit-log.service.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Controller('admin/audit')
export class AuditLogController {
  constructor(private readonly log: AuditLogService) {}

  @Get()
  @RequiresPermission('audit.read')
  @Operation({
    summary: 'What was done, by whom and to whom; the newest first',
    answer: AuditEntryDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async list(@Query() query: AuditQuery): Promise<Listed<AuditEntryDto>> {
    return await this.log.list(query);
  }
}
