import { IntersectionType, PickType } from '@nestjs/swagger';
import { IntField, ObjectField, UuidField } from '../../../../platform/http/fields.js';
import { GameDto, MarketDto, PriceDto } from '../../dto/games.dto.js';

const WHOLE = 'Markets that are new, in another state, or lost a price, whole';
/** A price is of an outcome, not of one that is already shown. */
const COMES_BACK = 'One may be of an outcome that has no price with you at the moment: it is offered again';

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
    description: `Prices that have moved; none where nothing of the change is to be seen. ${COMES_BACK}`,
  })
  prices: PriceMoveDto[];
}

export class MarketStatusDto extends StepDto {
  @ObjectField(() => MarketDto, {
    list: true,
    description: WHOLE,
  })
  markets: MarketDto[];
}

export class GameStatusDto extends IntersectionType(StepDto, StandDto) {}

export class GameChangesDto extends StepDto {
  @ObjectField(() => StandDto, { nullable: true, description: 'Null when nothing of it has changed' })
  stand: StandDto | null;

  @ObjectField(() => MarketDto, {
    list: true,
    description: WHOLE,
  })
  markets: MarketDto[];

  @ObjectField(() => PriceMoveDto, {
    list: true,
    description: `Prices that have moved in the other ones. ${COMES_BACK}`,
  })
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
