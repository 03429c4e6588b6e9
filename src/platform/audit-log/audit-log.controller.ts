import { Controller, Get, Header, Query, type StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Listed } from '../http/answers.js';
import { httpErrors } from '../http/http.errors.js';
import { Operation } from '../http/operation.decorator.js';
import { Operates } from '../security/operates.decorator.js';
import { RequiresPermission } from '../security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../security/subject.js';
import { AuditExportService } from './audit-export.service.js';
import { AuditEntryDto, AuditFilterQuery, AuditQuery } from './audit-log.dto.js';
import { AuditLogService } from './audit-log.service.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin')
export class AuditLogController {
  constructor(
    private readonly log: AuditLogService,
    private readonly exports: AuditExportService,
  ) {}

  @Get('audit')
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

  @Get('audit.csv')
  @RequiresPermission('audit.export')
  @Header('Cache-Control', 'private, no-store')
  @ApiResponse({
    status: 200,
    description: 'The entries',
    content: { 'text/csv': { schema: { type: 'string' } } },
  })
  @Operation({
    summary: 'What was done, by whom and to whom, as CSV; the oldest first',
    description: 'RFC 4180, UTF-8, with a header record. Details are JSON.',
    answer: null,
  })
  async export(
    @CurrentSubject() subject: Subject,
    @Query() query: AuditFilterQuery,
  ): Promise<StreamableFile> {
    return await this.exports.write(subject.userId, query);
  }
}
