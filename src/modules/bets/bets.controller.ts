import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Effect, RenderedList } from '../../platform/http/answers.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { Idempotency, type IdempotencyKey } from '../../platform/http/idempotency.js';
import { Operation } from '../../platform/http/operation.decorator.js';
import { AsksEarly } from '../../platform/security/early-asks.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { complianceErrors } from '../compliance/compliance.errors.js';
import { poolsErrors } from '../pools/pools.errors.js';
import { BETS_OF_CALLER } from './bet-pages.js';
import { betsErrors, placementErrors } from './bets.errors.js';
import { BetsService } from './bets.service.js';
import { CancellingService } from './cancelling.service.js';
import { BetDto, BetParam, BetsQuery } from './dto/bets.dto.js';
import { ExposureDto } from './dto/exposure.dto.js';
import { PlaceBetDto, PlacedBetDto } from './dto/place-bet.dto.js';
import { QuoteDto } from './dto/quote.dto.js';
import { ShareDto } from './dto/shared-bets.dto.js';
import { QuotesService } from './quotes.service.js';
import { SharingService } from './sharing.service.js';

@ApiTags('bets')
@ApiBearerAuth('session')
@Controller('bets')
export class BetsController {
  constructor(
    private readonly bets: BetsService,
    private readonly quotes: QuotesService,
    private readonly cancelling: CancellingService,
    private readonly sharing: SharingService,
  ) {}

  @Operates('stake', 'pools')
  @Post()
  @Operation({
    summary: 'Place a bet with credits of the current week',
    description:
      'A single names `marketId` and `outcome`, a parlay of 2 to 12 games its `legs`; either says its `stake` or what it is `toWin`. A refusal that is of one leg tells which as `leg`, from 1.',
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

  @Operates('stake', 'pools')
  @Post('quote')
  @Operation({
    summary: 'What a bet would be now, without placing it',
    description:
      'Takes what placing takes. What the bet itself would be refused for is told as `refusals`; who may not bet at all is refused as there.',
    answer: QuoteDto,
    errors: Object.values(complianceErrors),
  })
  async quote(@CurrentSubject() subject: Subject, @Body() body: PlaceBetDto): Promise<QuoteDto> {
    return await this.quotes.quote(subject, body);
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

  @Get('exposure')
  @Operation({ summary: 'What the caller has at stake, by game', answer: ExposureDto })
  async exposure(@CurrentSubject() subject: Subject): Promise<ExposureDto> {
    return await this.bets.exposure(subject);
  }

  @Get(':id')
  @Operation({ summary: "One of the caller's bets", answer: BetDto, errors: [betsErrors.BET_NOT_FOUND] })
  async get(@CurrentSubject() subject: Subject, @Param() { id }: BetParam): Promise<BetDto> {
    return await this.bets.get(subject, id);
  }

  // Gives back what was staked: open to who may stake no more.
  @Operates('account')
  @Post(':id/cancel')
  @Operation({
    summary: 'Take a bet back, shortly after it was placed and before its first game starts',
    description:
      'The stake is given back. It takes no Idempotency-Key: it is idempotent by its nature, for a bet is taken back once, and asking again answers the same.',
    answer: BetDto,
    errors: [betsErrors.BET_NOT_FOUND, betsErrors.BET_NOT_CANCELLABLE],
  })
  async cancel(@CurrentSubject() subject: Subject, @Param() { id }: BetParam): Promise<BetDto> {
    return await this.cancelling.cancel(subject, id);
  }

  @Get(':id/share')
  @Operation({
    summary: 'A code and a link that show the bet to anybody who has them',
    answer: ShareDto,
    errors: [betsErrors.BET_NOT_FOUND],
  })
  async share(@CurrentSubject() subject: Subject, @Param() { id }: BetParam): Promise<ShareDto> {
    return await this.sharing.share(subject, id);
  }
}
