import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Effect, RenderedList } from '../../platform/http/answers.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { Idempotency, type IdempotencyKey } from '../../platform/http/idempotency.js';
import { Operation } from '../../platform/http/operation.decorator.js';
import { AsksEarly } from '../../platform/security/early-asks.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { poolsErrors } from '../pools/pools.errors.js';
import { BETS_OF_CALLER } from './bet-pages.js';
import { betsErrors, placementErrors } from './bets.errors.js';
import { BetsService } from './bets.service.js';
import { BetDto, BetParam, BetsQuery, PlaceBetDto, PlacedBetDto } from './dto/bets.dto.js';

@ApiTags('bets')
@ApiBearerAuth('session')
@Controller('bets')
export class BetsController {
  constructor(private readonly bets: BetsService) {}

  @Operates('stake', 'pools')
  @Post()
  @Operation({
    summary: 'Place a bet with credits of the current week',
    status: 201,
    answer: PlacedBetDto,
    idempotent: true,
    errors: Object.values(placementErrors),
  })
  async place(
    @CurrentSubject() subject: Subject,
    @Body() body: PlaceBetDto,
    @Idempotency() key: IdempotencyKey,
  ): Promise<Effect<PlacedBetDto>> {
    return await this.bets.place(subject, body, key);
  }

  @Get()
  @AsksEarly(BETS_OF_CALLER)
  @Operation({
    summary: "The caller's bets, newest first",
    answer: BetDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR, poolsErrors.WEEK_ID_INVALID],
  })
  async list(@CurrentSubject() subject: Subject, @Query() query: BetsQuery): Promise<RenderedList<BetDto>> {
    return await this.bets.list(subject, query);
  }

  @Get(':id')
  @Operation({ summary: "One of the caller's bets", answer: BetDto, errors: [betsErrors.BET_NOT_FOUND] })
  async get(@CurrentSubject() subject: Subject, @Param() { id }: BetParam): Promise<BetDto> {
    return await this.bets.get(subject, id);
  }
}
