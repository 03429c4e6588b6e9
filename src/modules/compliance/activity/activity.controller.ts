import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { ActivityService } from './activity.service.js';
import { ActivityQuery, ActivityStatementDto } from './dto/activity.dto.js';

@ApiTags('compliance')
@ApiBearerAuth('session')
@Controller('compliance/activity')
@Operates('account')
export class ActivityController {
  constructor(private readonly activity: ActivityService) {}

  @Get()
  @Operation({
    summary: 'What the caller paid, won and took out, by month',
    description:
      'Three months at once; with `months=12` a year. What is counted is what was booked: a payment under way is not in it.',
    answer: ActivityStatementDto,
  })
  async statement(
    @CurrentSubject() { userId }: Subject,
    @Query() { months = '3' }: ActivityQuery,
  ): Promise<ActivityStatementDto> {
    return await this.activity.statement(userId, Number(months));
  }
}
