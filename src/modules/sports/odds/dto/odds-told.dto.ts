import { IntersectionType, PickType } from '@nestjs/swagger';
import { IntField, ObjectField, UuidField } from '../../../../platform/http/fields.js';
import { GameDto, MarketDto, PriceDto } from '../../dto/games.dto.js';

/** What a message says of where it goes on and where it leads. */
class StepDto {
  @UuidField()
  gameId: string;

  @IntField({
    min: 0,
    example: 16,
    description: 'Apply it only if this is the `seq` that you have of the game',
  })
  from: number;

  @IntField({
    min: 0,
    example: 17,
    description: 'The `seq` that you have then. It is `from` where more messages of the same change follow',
  })
  seq: number;
}

export class PriceMoveDto extends PriceDto {
  @UuidField()
  marketId: string;
}

/** What of a game itself changes while it is followed. */
class StandDto extends PickType(GameDto, [
  'startsAt',
  'status',
  'homeScore',
  'awayScore',
  'periods',
  'resultConfirmed',
] as const) {}

export class OddsChangedDto extends StepDto {
  @ObjectField(() => PriceMoveDto, {
    list: true,
    description: 'Prices that have moved; none where nothing of the change is to be seen',
  })
  prices: PriceMoveDto[];
}

export class MarketStatusDto extends StepDto {
  @ObjectField(() => MarketDto, {
    list: true,
    description: 'Markets that are new or in another state, whole',
  })
  markets: MarketDto[];
}

export class GameStatusDto extends IntersectionType(StepDto, StandDto) {}

export class GameChangesDto extends StepDto {
  @ObjectField(() => StandDto, { nullable: true, description: 'Null when nothing of it has changed' })
  stand: StandDto | null;

  @ObjectField(() => MarketDto, {
    list: true,
    description: 'Markets that are new or in another state, whole',
  })
  markets: MarketDto[];

  @ObjectField(() => PriceMoveDto, { list: true, description: 'Prices that have moved in the other ones' })
  prices: PriceMoveDto[];
}

export class SubscribedDto {
  @ObjectField(() => GameDto, { list: true, description: 'As GET games/{id} answers them' })
  snapshots: GameDto[];

  @ObjectField(() => GameChangesDto, {
    list: true,
    description: 'Of games that you know (`after`): exactly what has changed since',
  })
  changes: GameChangesDto[];
}
