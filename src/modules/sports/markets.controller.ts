import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Listed } from '../../platform/http/answers.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { Operation } from '../../platform/http/operation.decorator.js';
import { IdParam } from './dto/games.dto.js';
import { MarketDetailDto, OddsHistoryDto, OddsHistoryQuery } from './dto/markets.dto.js';
import { OddsHistoryService } from './odds/odds-history.service.js';
import { sportsErrors } from './sports.errors.js';

@ApiTags('sports')
@ApiBearerAuth('session')
@Controller('markets')
export class MarketsController {
  constructor(private readonly history: OddsHistoryService) {}

  @Get(':id')
  @Operation({
    summary: 'One market, with the opening and the closing price of each outcome',
    answer: MarketDetailDto,
    errors: [sportsErrors.MARKET_NOT_FOUND],
  })
  async get(@Param() { id }: IdParam): Promise<MarketDetailDto> {
    return await this.history.detail(id);
  }

  @Get(':id/odds/history')
  @Operation({
    summary: 'Every price that a market has had',
    description: 'Newest first.',
    answer: OddsHistoryDto,
    list: 'cursor',
    errors: [sportsErrors.MARKET_NOT_FOUND, httpErrors.INVALID_CURSOR],
  })
  async odds(@Param() { id }: IdParam, @Query() query: OddsHistoryQuery): Promise<Listed<OddsHistoryDto>> {
    return await this.history.list(id, query);
  }
}
