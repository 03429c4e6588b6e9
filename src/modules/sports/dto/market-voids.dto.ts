import { IntField, TextField, TimeField, UuidField } from '../../../platform/http/fields.js';

/** Somebody has asked for a market with many bets to be voided; another person must ask too. */
export class MarketVoidDto {
  @UuidField()
  id: string;

  @UuidField()
  marketId: string;

  @UuidField({ description: 'Who asked; another person must agree' })
  requestedBy: string;

  @TimeField()
  requestedAt: string;

  @TimeField({ description: 'From then on it counts no more' })
  expiresAt: string;

  @TextField({ max: 500, example: 'Price obviously wrong' })
  reason: string;

  @IntField({ min: 0, example: 412, description: 'Bets on the market when it was asked for' })
  bets: number;
}
