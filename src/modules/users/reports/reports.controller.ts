import { Body, Controller, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { usersErrors } from '../users.errors.js';
import { FiledReportDto, NewReportDto, ReportParam } from './dto/reports.dto.js';
import { reportsErrors } from './reports.errors.js';
import { ReportsService } from './reports.service.js';

@ApiTags('users')
@ApiBearerAuth('session')
@Controller('users')
export class ReportsController {
  constructor(private readonly reports: ReportsService) {}

  @Operates('account')
  @Post(':id/report')
  @Operation({
    summary: 'Report a user to the moderators',
    description: 'While your report is open, reporting the same again answers that one.',
    answer: FiledReportDto,
    errors: [
      usersErrors.USER_NOT_FOUND,
      reportsErrors.CANNOT_REPORT_YOURSELF,
      reportsErrors.REPORT_LIMIT_REACHED,
    ],
  })
  async report(
    @CurrentSubject() subject: Subject,
    @Param() { id }: ReportParam,
    @Body() body: NewReportDto,
  ): Promise<FiledReportDto> {
    return await this.reports.reportUser(subject.userId, id, body);
  }
}
