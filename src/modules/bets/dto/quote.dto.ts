import { ApiProperty } from '@nestjs/swagger';
import {
  BoolField,
  EnumField,
  IntField,
  ObjectField,
  TextField,
  UuidField,
} from '../../../platform/http/fields.js';
import { BET_KINDS, type BetKind, BetOddsDto } from './place-bet.dto.js';

export class QuotedLegDto {
  @UuidField({ nullable: true, description: 'Null where there is no such market' })
  gameId: string | null;

  @UuidField()
  marketId: string;

  @TextField({ max: 60, example: 'home' })
  outcome: string;

  @ObjectField(() => BetOddsDto, { nullable: true, description: 'The price now; null where there is none' })
  odds: BetOddsDto | null;

  @BoolField({ example: false, description: 'The price now is another than the oddsId that was sent' })
  changed: boolean;
}

export class QuotedPriceDto {
  @TextField({
    max: 300,
    example: '21/11',
    description: 'What one credit returns, exactly: of it payouts are made',
  })
  exact: string;

  @TextField({ max: 40, example: '1.9091', description: 'The same to 4 places' })
  decimal: string;

  @IntField({
    nullable: true,
    example: -110,
    description: 'Nearest American odds; null where they are beyond all',
  })
  american: number | null;
}

export class QuoteLimitsDto {
  @IntField({ min: 1, example: 1 })
  minStake: number;

  @IntField({ min: 1, example: 1000 })
  maxStake: number;

  @IntField({ min: 1, example: 10_000_000, description: 'Credits that one bet pays at most' })
  maxPayout: number;

  @IntField({
    nullable: true,
    min: 0,
    example: 400,
    description:
      'What the limits of the market and of the user leave, of a parlay on its fullest market; null: there is none',
  })
  marketRoom: number | null;

  @IntField({
    nullable: true,
    min: 0,
    example: 950,
    description: 'Credits that the caller has; null: in no pool',
  })
  balance: number | null;

  @IntField({ min: 0, example: 400, description: 'The largest stake that all of them allow now' })
  largestStake: number;
}

export class QuoteRefusalDto {
  @TextField({ max: 60, example: 'ABOVE_MARKET_MAX' })
  code: string;

  @ApiProperty({ type: 'object', additionalProperties: true, example: { field: 'stake', maximum: 400 } })
  details: Record<string, unknown>;
}

export class QuoteDto {
  @EnumField(BET_KINDS)
  kind: BetKind;

  @ObjectField(() => QuotedLegDto, { list: true, description: 'One of a single' })
  legs: QuotedLegDto[];

  @ObjectField(() => QuotedPriceDto, {
    nullable: true,
    description: 'Of the slip now; null where a leg has none',
  })
  price: QuotedPriceDto | null;

  @BoolField({ example: false, description: 'Of one leg or another' })
  changed: boolean;

  @IntField({
    min: 1,
    example: 50,
    description: 'Of toWin at the prices that are named; where one of them is unknown the least there is',
  })
  stake: number;

  @IntField({
    nullable: true,
    min: 0,
    example: 95,
    description: 'Credits that a win would return, stake included',
  })
  payout: number | null;

  @IntField({ nullable: true, min: 0, example: 45 })
  profit: number | null;

  @ObjectField(() => QuoteLimitsDto)
  limits: QuoteLimitsDto;

  @ObjectField(() => QuoteRefusalDto, {
    list: true,
    description:
      'All that the bet would be refused for now; the first is what it would be answered. Empty: it would be taken',
  })
  refusals: QuoteRefusalDto[];
}
