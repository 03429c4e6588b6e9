import { Body, Controller, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Effect } from '../../platform/http/answers.js';
import { UuidField } from '../../platform/http/fields.js';
import { Idempotency, type IdempotencyKey } from '../../platform/http/idempotency.js';
import { Operation } from '../../platform/http/operation.decorator.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { RequiresPermission } from '../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { complianceErrors } from '../compliance/compliance.errors.js';
import { usersErrors } from '../users/users.errors.js';
import { GrantedPassDto, GrantPassDto, WeekDto, WeekParam } from './dto/weeks.dto.js';
import { GroupingService } from './grouping.service.js';
import { PassesService } from './passes.service.js';
import { poolsErrors, purchaseErrors } from './pools.errors.js';
import { readWeekId, WeeksService } from './weeks.service.js';

class UserParam {
  @UuidField()
  id: string;
}

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin')
export class PoolsAdminController {
  constructor(
    private readonly weeks: WeeksService,
    private readonly grouping: GroupingService,
    private readonly passes: PassesService,
  ) {}

  @Post('weeks/:id/group')
  @RequiresPermission('weeks.draw')
  @Operation({
    summary: 'Draw a week whose start has come; done already, nothing happens',
    answer: WeekDto,
    errors: [poolsErrors.WEEK_NOT_FOUND, poolsErrors.WEEK_ID_INVALID, poolsErrors.WEEK_STATE_CONFLICT],
  })
  async group(@CurrentSubject() subject: Subject, @Param() { id }: WeekParam): Promise<WeekDto> {
    await this.grouping.group(readWeekId(id), subject.userId);
    return await this.weeks.describe(id);
  }

  @Post('users/:id/pass')
  @RequiresPermission('passes.grant')
  @Operation({
    summary: "Grant a week's pass, or a buy-back",
    status: 201,
    answer: GrantedPassDto,
    idempotent: true,
    errors: [
      usersErrors.USER_NOT_FOUND,
      poolsErrors.WEEK_NOT_FOUND,
      poolsErrors.WEEK_ID_INVALID,
      ...purchaseErrors,
      ...Object.values(complianceErrors),
    ],
  })
  async grantPass(
    @CurrentSubject() subject: Subject,
    @Param() { id }: UserParam,
    @Body() body: GrantPassDto,
    @Idempotency() key: IdempotencyKey,
  ): Promise<Effect<GrantedPassDto>> {
    return await this.passes.grant(subject, id, body, key);
  }
}
