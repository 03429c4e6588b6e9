import { Controller, Get, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Operation } from '../../platform/http/operation.decorator.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { RequiresPermission } from '../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { poolsErrors } from '../pools/pools.errors.js';
import { WeekDto } from '../pools/weeks.types.js';
import { readWeekId, WeeksService } from '../pools/weeks.service.js';
import { SettlementDto, SettlementParam, SettleWeekParam } from './dto/settlement.dto.js';
import { settlementErrors } from './settlement.errors.js';
import { SettlementService } from './settlement.service.js';
import { WeekSettlementService } from './week-settlement.service.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin')
export class SettlementAdminController {
  constructor(
    private readonly settlements: SettlementService,
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

  @Get('settlements/:id')
  @RequiresPermission('settlements.read')
  @Operation({
    summary: 'How far a settlement is',
    answer: SettlementDto,
    errors: [settlementErrors.SETTLEMENT_NOT_FOUND],
  })
  async get(@Param() { id }: SettlementParam): Promise<SettlementDto> {
    return await this.settlements.describe(id);
  }
}
