import { Body, Controller, Param, Post, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { RequiresPermission } from '../../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { GameDto, IdParam } from '../dto/games.dto.js';
import { MarketLimitDto, NewMarketDto, NewPricesDto } from '../dto/markets.dto.js';
import { sportsErrors } from '../sports.errors.js';
import { MarketOffersService } from './market-offers.service.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin')
export class MarketOffersController {
  constructor(private readonly offers: MarketOffersService) {}

  @Post('games/:id/markets')
  @RequiresPermission('markets.offer')
  @Operation({
    summary: 'Offer a prop on a game that is to come',
    description: 'It is graded by the field of the result that its key names.',
    status: 201,
    answer: GameDto,
    errors: [
      sportsErrors.GAME_NOT_FOUND,
      sportsErrors.GAME_STATE_CONFLICT,
      sportsErrors.MARKET_EXISTS,
      sportsErrors.OFFER_INVALID,
      sportsErrors.PRICES_IMPLAUSIBLE,
    ],
  })
  async offer(
    @CurrentSubject() subject: Subject,
    @Param() { id }: IdParam,
    @Body() body: NewMarketDto,
  ): Promise<GameDto> {
    return await this.offers.add(subject, id, body);
  }

  @Put('markets/:id/prices')
  @RequiresPermission('markets.price')
  @Operation({
    summary: 'Set prices of a market, open or suspended',
    description:
      "A feed's next prices replace them. With the prices that stay they have to pass the checks of a feed's: refused ones are told with what is wrong, and nothing is set.",
    answer: GameDto,
    errors: [
      sportsErrors.MARKET_NOT_FOUND,
      sportsErrors.MARKET_STATE_CONFLICT,
      sportsErrors.GAME_STATE_CONFLICT,
      sportsErrors.OFFER_INVALID,
      sportsErrors.PRICES_IMPLAUSIBLE,
    ],
  })
  async price(
    @CurrentSubject() subject: Subject,
    @Param() { id }: IdParam,
    @Body() body: NewPricesDto,
  ): Promise<GameDto> {
    return await this.offers.price(subject, id, body);
  }

  @Put('markets/:id/limit')
  @RequiresPermission('markets.limit')
  @Operation({
    summary: 'Set the most that one player may have staked on a market, or lift it',
    answer: GameDto,
    errors: [sportsErrors.MARKET_NOT_FOUND],
  })
  async limit(
    @CurrentSubject() subject: Subject,
    @Param() { id }: IdParam,
    @Body() body: MarketLimitDto,
  ): Promise<GameDto> {
    return await this.offers.limit(subject, id, body);
  }
}
