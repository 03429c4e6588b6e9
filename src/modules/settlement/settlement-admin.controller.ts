import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Listed } from '../../platform/http/answers.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { Operation } from '../../platform/http/operation.decorator.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { RequiresPermission } from '../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { poolsErrors } from '../pools/pools.errors.js';
import { WeekDto } from '../pools/weeks.types.js';
import { readWeekId, WeeksService } from '../pools/weeks.service.js';
import {
  SettlementDetailDto,
  SettlementDto,
  SettlementParam,
  SettlementsQuery,
  SettleWeekParam,
} from './dto/settlement.dto.js';
import { SettlementProgressService } from './settlement-progress.service.js';
import { settlementErrors } from './settlement.errors.js';
import { WeekSettlementService } from './week-settlement.service.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin')
export class SettlementAdminController {
  constructor(
    private readonly settlements: SettlementProgressService,
    private readonly weekSettlement: WeekSettlementService,
    private readonly weeks: WeeksService,
  ) {}

  @Post('weeks/:id/settle')
  @RequiresPermission('weeks.settle')
  @Operation({
    summary: 'Settle a week that is over; settled already, its tables are made anew and its prizes corrected',
    answer: WeekDto,
    errors: [
      poolsErrors.WEEK_NOT_FOUND,
      poolsErrors.WEEK_ID_INVALID,
      poolsErrors.PRIZE_SPENT,
      settlementErrors.WEEK_NOT_OVER,
      settlementErrors.WEEK_HAS_OPEN_GAMES,
      settlementErrors.WEEK_HAS_OPEN_BETS,
    ],
  })
  async settleWeek(@CurrentSubject() subject: Subject, @Param() { id }: SettleWeekParam): Promise<WeekDto> {
    await this.weekSettlement.settleNow(readWeekId(id), subject.userId);
    return await this.weeks.describe(id);
  }

  @Get('settlements')
  @RequiresPermission('settlements.read')
  @Operation({
    summary: 'Settlements, newest first, with how far they are',
    answer: SettlementDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async list(@Query() query: SettlementsQuery): Promise<Listed<SettlementDto>> {
    return await this.settlements.list(query);
  }

  @Get('settlements/:id')
  @RequiresPermission('settlements.read')
  @Operation({
    summary: 'How far a settlement is, and what it has met',
    answer: SettlementDetailDto,
    errors: [settlementErrors.SETTLEMENT_NOT_FOUND],
  })
  async get(@Param() { id }: SettlementParam): Promise<SettlementDetailDto> {
    return await this.settlements.get(id);
  }
}
