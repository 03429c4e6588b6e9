import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Listed } from '../../../platform/http/answers.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { RequiresPermission } from '../../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { reportsErrors } from '../../users/reports/reports.errors.js';
import { usersErrors } from '../../users/users.errors.js';
import { sessionErrors } from '../sessions/session.errors.js';
import { adminErrors } from './admin.errors.js';
import { DecideReportDto, ReportDto, ReportParam, ReportsQuery } from './dto/reports-admin.dto.js';
import { ModerationService } from './moderation.service.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin/reports')
export class ReportsAdminController {
  constructor(private readonly moderation: ModerationService) {}

  @Get()
  @RequiresPermission('reports.read')
  @Operation({
    summary: 'What users have reported; the oldest first',
    answer: ReportDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async list(@Query() query: ReportsQuery): Promise<Listed<ReportDto>> {
    return await this.moderation.list(query);
  }

  @Post(':id/decide')
  @RequiresPermission('reports.decide')
  @Operation({
    summary: 'Decide a report, and with it every open one on the same subject',
    description: 'A warning is told to the user by mail. A ban asks the operator for a recent proof.',
    answer: ReportDto,
    errors: [
      sessionErrors.PROOF_TOO_OLD,
      reportsErrors.REPORT_NOT_FOUND,
      reportsErrors.REPORT_ALREADY_DECIDED,
      usersErrors.USER_NOT_FOUND,
      adminErrors.NOT_YOURS_TO_JUDGE,
      adminErrors.USER_ERASED,
    ],
  })
  async decide(
    @CurrentSubject() subject: Subject,
    @Param() { id }: ReportParam,
    @Body() body: DecideReportDto,
  ): Promise<ReportDto> {
    return await this.moderation.decide(subject, id, body);
  }
}
