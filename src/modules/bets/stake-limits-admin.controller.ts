import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Operation } from '../../platform/http/operation.decorator.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { RequiresPermission } from '../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { usersErrors } from '../users/users.errors.js';
import { SetStakeLimitDto, StakeLimitDto, UserParam } from './dto/stake-limits.dto.js';
import { StakeLimitsService } from './stake-limits.service.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin/users/:id/stake-limit')
export class StakeLimitsAdminController {
  constructor(private readonly limits: StakeLimitsService) {}

  @Get()
  @RequiresPermission('bets.limit')
  @Operation({
    summary: 'What a user may have staked on one market at most',
    answer: StakeLimitDto,
    errors: [usersErrors.USER_NOT_FOUND],
  })
  async get(@Param() { id }: UserParam): Promise<StakeLimitDto> {
    return await this.limits.get(id);
  }

  @Put()
  @RequiresPermission('bets.limit')
  @Operation({
    summary: 'Limit what a user may have staked on one market, or take the limit away',
    description:
      'Works from the next bet on: what is staked already stays. A parlay counts on each of its legs.',
    answer: StakeLimitDto,
    errors: [usersErrors.USER_NOT_FOUND],
  })
  async set(
    @CurrentSubject() subject: Subject,
    @Param() { id }: UserParam,
    @Body() body: SetStakeLimitDto,
  ): Promise<StakeLimitDto> {
    return await this.limits.set(subject, id, body);
  }
}
