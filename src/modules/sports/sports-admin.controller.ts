import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Accepted, type Listed } from '../../platform/http/answers.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { Operation } from '../../platform/http/operation.decorator.js';
import { CursorQuery } from '../../platform/http/pagination.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { RequiresPermission } from '../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { GameDto, GameResultDto, IdParam, MarketReasonDto } from './dto/games.dto.js';
import { MarketVoidDto } from './dto/market-voids.dto.js';
import { GamesService } from './games.service.js';
import { MarketVoidsService } from './market-voids.service.js';
import { MarketsService } from './markets.service.js';
import { ResultsService } from './results.service.js';
import { sportsErrors } from './sports.errors.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin')
export class SportsAdminController {
  constructor(
    private readonly results: ResultsService,
    private readonly markets: MarketsService,
    private readonly games: GamesService,
    private readonly voids: MarketVoidsService,
  ) {}

  @Post('games/:id/result')
  @RequiresPermission('games.result')
  @Operation({
    summary: 'Say how a game stands or ended; its bets are then graded',
    description:
      'Saying the same again changes nothing. Changing a result needs a reason and grades its bets anew. What voids a game with many bets is said by two people: the first is answered with what waits, the second, who says the same within a day, with the game.',
    answer: GameDto,
    waits: MarketVoidDto,
    errors: [
      sportsErrors.GAME_NOT_FOUND,
      sportsErrors.GAME_NOT_STARTED,
      sportsErrors.RESULT_INCOMPLETE,
      sportsErrors.CORRECTION_NEEDS_REASON,
      sportsErrors.GAME_STATE_CONFLICT,
      sportsErrors.SECOND_PERSON_NEEDED,
    ],
  })
  async result(
    @CurrentSubject() subject: Subject,
    @Param() { id }: IdParam,
    @Body() body: GameResultDto,
  ): Promise<GameDto | Accepted<MarketVoidDto>> {
    const { startsAt, ...report } = body;
    const waits = await this.results.report(subject.userId, id, {
      ...report,
      ...(startsAt === undefined ? {} : { startsAt: new Date(startsAt) }),
    });
    return waits ? new Accepted(waits) : await this.games.get(id);
  }

  @Post('markets/:id/suspend')
  @RequiresPermission('markets.suspend')
  @Operation({
    summary: 'Take no more bets on a market for now',
    answer: GameDto,
    errors: [sportsErrors.MARKET_NOT_FOUND, sportsErrors.MARKET_STATE_CONFLICT],
  })
  async suspend(
    @CurrentSubject() subject: Subject,
    @Param() { id }: IdParam,
    @Body() body: MarketReasonDto,
  ): Promise<GameDto> {
    return await this.markets.suspend(subject, id, body.reason);
  }

  @Post('markets/:id/resume')
  @RequiresPermission('markets.resume')
  @Operation({
    summary: 'Take bets on a suspended market again',
    answer: GameDto,
    errors: [sportsErrors.MARKET_NOT_FOUND, sportsErrors.MARKET_STATE_CONFLICT],
  })
  async resume(
    @CurrentSubject() subject: Subject,
    @Param() { id }: IdParam,
    @Body() body: MarketReasonDto,
  ): Promise<GameDto> {
    return await this.markets.resume(subject, id, body.reason);
  }

  @Post('markets/:id/void')
  @RequiresPermission('markets.void')
  @Operation({
    summary: 'Void a market: every stake on it goes back',
    description:
      'One with many bets is voided by two people: the first is answered with what waits, the second, who asks for the same within a day, with the game.',
    answer: GameDto,
    waits: MarketVoidDto,
    errors: [
      sportsErrors.MARKET_NOT_FOUND,
      sportsErrors.MARKET_STATE_CONFLICT,
      sportsErrors.SECOND_PERSON_NEEDED,
    ],
  })
  async void(
    @CurrentSubject() subject: Subject,
    @Param() { id }: IdParam,
    @Body() body: MarketReasonDto,
  ): Promise<GameDto | Accepted<MarketVoidDto>> {
    return await this.markets.void(subject, id, body.reason);
  }

  @Get('market-voids')
  @RequiresPermission('markets.void')
  @Operation({
    summary: 'Markets and games that one person wants voided and that wait for a second, oldest first',
    answer: MarketVoidDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async pendingVoids(@Query() query: CursorQuery): Promise<Listed<MarketVoidDto>> {
    return await this.voids.pending(query);
  }

  @Delete('market-voids/:id')
  @RequiresPermission('markets.void')
  @Operation({
    summary: 'Take back what waits for a second person, your own or another’s',
    answer: null,
    errors: [sportsErrors.MARKET_VOID_NOT_FOUND],
  })
  async withdrawVoid(@CurrentSubject() subject: Subject, @Param() { id }: IdParam): Promise<void> {
    await this.voids.withdraw(subject, id);
  }
}
