import { Body, Controller, Get, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Operation } from '../../platform/http/operation.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { ComplianceService } from './compliance.service.js';
import { ComplianceStatusDto, TimeOutDto } from './dto/compliance-status.dto.js';

@ApiTags('compliance')
@ApiBearerAuth('session')
@Controller('compliance')
export class ComplianceController {
  constructor(private readonly compliance: ComplianceService) {}

  @Get('status')
  @Operation({ summary: 'What the caller may do, and until when not', answer: ComplianceStatusDto })
  async status(@CurrentSubject() subject: Subject): Promise<ComplianceStatusDto> {
    return await this.compliance.status(subject.userId);
  }

  @Post('time-out')
  @Operation({
    summary: 'Take a time-out of 1 to 42 days, at once',
    status: 201,
    answer: ComplianceStatusDto,
  })
  async timeOut(@CurrentSubject() subject: Subject, @Body() body: TimeOutDto): Promise<ComplianceStatusDto> {
    return await this.compliance.timeOut(subject.userId, body.days);
  }
}
