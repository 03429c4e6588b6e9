import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Listed, RenderedList } from '../../platform/http/answers.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { Operation } from '../../platform/http/operation.decorator.js';
import { PageQuery } from '../../platform/http/pagination.js';
import {
  DrawDto,
  DrawQuery,
  MemberDto,
  PoolParam,
  PoolSummaryDto,
  PrizeDto,
  TableRowDto,
  WeekDto,
  WeekParam,
} from './dto/weeks.dto.js';
import { GroupingService } from './grouping.service.js';
import { poolsErrors } from './pools.errors.js';
import { PrizesService } from './prizes.service.js';
import { TablesService } from './tables.service.js';
import { WeeksService } from './weeks.service.js';

const WEEK_ERRORS = [poolsErrors.WEEK_NOT_FOUND, poolsErrors.WEEK_ID_INVALID];
const POOL_ERRORS = [...WEEK_ERRORS, poolsErrors.POOL_NOT_FOUND];

@ApiTags('weeks')
@ApiBearerAuth('session')
@Controller('weeks')
export class WeeksController {
  constructor(
    private readonly weeks: WeeksService,
    private readonly tables: TablesService,
    private readonly grouping: GroupingService,
    private readonly prizes: PrizesService,
  ) {}

  @Get(':id')
  @Operation({ summary: 'A week: `current`, `2023-W40` or `202340`', answer: WeekDto, errors: WEEK_ERRORS })
  async get(@Param() { id }: WeekParam): Promise<WeekDto> {
    return await this.weeks.describe(id);
  }

  @Get(':id/pools')
  @Operation({ summary: "A week's pools", answer: PoolSummaryDto, list: 'whole', errors: WEEK_ERRORS })
  async pools(@Param() { id }: WeekParam): Promise<PoolSummaryDto[]> {
    return await this.tables.pools(id);
  }

  @Get(':id/pools/:poolId/leaderboard')
  @Operation({
    summary: "A pool's table, live until the week is settled",
    description: 'By credits, then user id. Equal credits share a rank: 1, 2, 2, 4.',
    answer: TableRowDto,
    list: 'page',
    errors: POOL_ERRORS,
  })
  async leaderboard(
    @Param() params: PoolParam,
    @Query() query: PageQuery,
  ): Promise<RenderedList<TableRowDto>> {
    return await this.tables.leaderboard(params, query);
  }

  @Get(':id/pools/:poolId/members')
  @Operation({
    summary: "A pool's members, in the order of the draw",
    answer: MemberDto,
    list: 'page',
    errors: POOL_ERRORS,
  })
  async members(@Param() params: PoolParam, @Query() query: PageQuery): Promise<Listed<MemberDto>> {
    return await this.tables.members(params, query);
  }

  @Get(':id/pools/:poolId/prizes')
  @Operation({
    summary: 'What the places of a settled pool won',
    answer: PrizeDto,
    list: 'whole',
    errors: POOL_ERRORS,
  })
  async poolPrizes(@Param() params: PoolParam): Promise<PrizeDto[]> {
    return await this.prizes.ofPool(params);
  }

  @Get(':id/draw')
  @Operation({
    summary: "The draw's proof: hashes before it, seed and entries after it",
    answer: DrawDto,
    errors: [...WEEK_ERRORS, httpErrors.INVALID_CURSOR],
  })
  async draw(@Param() { id }: WeekParam, @Query() query: DrawQuery): Promise<DrawDto> {
    return await this.grouping.proof(id, query);
  }
}
