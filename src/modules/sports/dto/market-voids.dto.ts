import { IntField, ObjectField, TextField, TimeField, UuidField } from '../../../platform/http/fields.js';
import { GameResultDto } from './games.dto.js';

/** Somebody has asked for many bets to be voided, on a market or on a whole game; another person must ask too. */
export class MarketVoidDto {
  @UuidField()
  id: string;

  @UuidField()
  gameId: string;

  @UuidField({ nullable: true, description: 'The market that is to be voided; null: all of its game' })
  marketId: string | null;

  @ObjectField(() => GameResultDto, {
    nullable: true,
    description:
      'What was said of the whole game; a second person says what comes to the same. Null of a single market',
  })
  result: GameResultDto | null;

  @UuidField({ description: 'Who asked; another person must agree' })
  requestedBy: string;

  @TimeField()
  requestedAt: string;

  @TimeField({ description: 'From then on it counts no more' })
  expiresAt: string;

  @TextField({ nullable: true, max: 500, example: 'Price obviously wrong' })
  reason: string | null;

  @IntField({ min: 0, example: 412, description: 'Bets on it when it was asked for' })
  bets: number;
}
