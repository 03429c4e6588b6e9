import { IntField, ObjectField, UuidField } from '../../../platform/http/fields.js';

export interface OpenBets {
  bets: number;
  stake: number;
  potentialPayout: number;
}

export class OpenBetsDto implements OpenBets {
  @IntField({ min: 0, example: 3 })
  bets: number;

  @IntField({ min: 0, example: 150, description: 'Credits staked' })
  stake: number;

  @IntField({ min: 0, example: 285, description: 'Credits that would be returned if all of them won' })
  potentialPayout: number;
}

export class GameExposureDto extends OpenBetsDto {
  @UuidField()
  gameId: string;

  @IntField({
    min: 0,
    example: 1,
    description: 'Open parlays with a leg on the game; their stakes are under `parlays`',
  })
  parlays: number;
}

export class ExposureDto extends OpenBetsDto {
  @ObjectField(() => GameExposureDto, {
    list: true,
    description: 'Singles, by game; and games of parlays alone',
  })
  games: GameExposureDto[];

  @ObjectField(() => OpenBetsDto)
  parlays: OpenBetsDto;
}
