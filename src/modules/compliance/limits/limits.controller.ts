import { Body, Controller, Delete, Get, Param, Post, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { CurrentPlace } from '../../../platform/geo/current-place.decorator.js';
import type { Place } from '../../../platform/geo/place.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { AllowedWhenIdle } from '../../../platform/security/idle.decorators.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { limitChangeErrors } from '../limits.errors.js';
import { LimitDto, LimitParam, LimitsDto, SetLimitDto } from './dto/limits.dto.js';
import { OwnLimitsService } from './own-limits.service.js';

const { LIMIT_NOT_FOUND, LIMIT_CURRENCY_NOT_TAKEN, LIMIT_NOT_REQUESTED, LIMIT_STILL_WAITING } =
  limitChangeErrors;

@ApiTags('compliance')
@ApiBearerAuth('session')
@Controller('compliance/limits')
@Operates('account')
export class LimitsController {
  constructor(private readonly limits: OwnLimitsService) {}

  @Get()
  @Operation({ summary: "The caller's limits, and what is left of them", answer: LimitsDto })
  async get(@CurrentSubject() { userId }: Subject, @CurrentPlace() place: Place): Promise<LimitsDto> {
    return await this.limits.get(userId, place);
  }

  @Put()
  @AllowedWhenIdle('nobody is kept from less')
  @Operation({
    summary: 'Limit what one pays in, stakes or loses',
    description:
      'The first limit and a lower one work at once, and undo what was asked for before. A higher one, or none, waits, and then has ' +
      'to be confirmed; until then the limit stays as it is. To ask for another begins the wait anew.',
    answer: LimitDto,
    errors: [LIMIT_NOT_FOUND, LIMIT_CURRENCY_NOT_TAKEN],
  })
  async set(
    @CurrentSubject() { userId }: Subject,
    @CurrentPlace() place: Place,
    @Body() body: SetLimitDto,
  ): Promise<LimitDto> {
    return await this.limits.set(userId, place, body);
  }

  @Post(':id/confirm')
  @Operation({
    summary: 'Confirm that a limit is to be higher, or gone, once its wait is over',
    answer: LimitDto,
    errors: [LIMIT_NOT_FOUND, LIMIT_NOT_REQUESTED, LIMIT_STILL_WAITING],
  })
  async confirm(
    @CurrentSubject() { userId }: Subject,
    @CurrentPlace() place: Place,
    @Param() { id }: LimitParam,
  ): Promise<LimitDto> {
    return await this.limits.confirm(userId, place, id);
  }

  @Delete(':id/request')
  @AllowedWhenIdle('nobody is kept from less')
  @Operation({
    summary: 'Take back that a limit is to be higher, or gone',
    answer: LimitDto,
    errors: [LIMIT_NOT_FOUND],
  })
  async takeBack(
    @CurrentSubject() { userId }: Subject,
    @CurrentPlace() place: Place,
    @Param() { id }: LimitParam,
  ): Promise<LimitDto> {
    return await this.limits.takeBack(userId, place, id);
  }
}
