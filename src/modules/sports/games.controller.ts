import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { RenderedList } from '../../platform/http/answers.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { Operation } from '../../platform/http/operation.decorator.js';
import { GameDto, GamesQuery, IdParam, MarketDto } from './dto/games.dto.js';
import { GamesService } from './games.service.js';
import { sportsErrors } from './sports.errors.js';

@ApiTags('sports')
@ApiBearerAuth('session')
@Controller(['games', 'events'])
export class GamesController {
  constructor(private readonly games: GamesService) {}

  @Get()
  @Operation({
    summary: 'Games with their markets and current prices',
    description: 'Ordered by official start, then id. `events` is an alias of `games`.',
    answer: GameDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async list(@Query() query: GamesQuery): Promise<RenderedList<GameDto>> {
    return await this.games.list(query);
  }

  @Get(':id')
  @Operation({ summary: 'One game', answer: GameDto, errors: [sportsErrors.GAME_NOT_FOUND] })
  async get(@Param() { id }: IdParam): Promise<GameDto> {
    return await this.games.get(id);
  }

  @Get(':id/markets')
  @Operation({
    summary: "A game's markets",
    answer: MarketDto,
    list: 'whole',
    errors: [sportsErrors.GAME_NOT_FOUND],
  })
  async markets(@Param() { id }: IdParam): Promise<MarketDto[]> {
    return (await this.games.get(id)).markets;
  }
}
