import { ValidateIf } from 'class-validator';
import {
  BoolField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../platform/http/fields.js';
import { CursorQuery } from '../../../platform/http/pagination.js';
import { KEY } from '../domain/markets.js';
import { MarketDto, PriceDto } from './games.dto.js';

export class PastPriceDto {
  @UuidField()
  oddsId: string;

  @IntField({ nullable: true, example: -110 })
  american: number | null;

  @TextField({ max: 20, example: '1.9091' })
  decimal: string;

  @TimeField({ description: 'Since when it was the price' })
  at: string;
}

export class OutcomePriceDto extends PriceDto {
  @ObjectField(() => PastPriceDto, { description: 'The first price of this outcome' })
  opening: PastPriceDto;

  @ObjectField(() => PastPriceDto, {
    nullable: true,
    description: 'The last price before the official start; null until then',
  })
  closing: PastPriceDto | null;
}

export class MarketDetailDto extends MarketDto {
  @UuidField()
  gameId: string;

  @ObjectField(() => OutcomePriceDto, { list: true })
  declare prices: OutcomePriceDto[];
}

export class OddsHistoryQuery extends CursorQuery {
  @TextField({ optional: true, max: 60, pattern: KEY, example: 'home', description: 'Only this outcome' })
  outcome?: string;

  @TimeField({ optional: true, description: 'Prices set at or after this time' })
  from?: string;

  @TimeField({ optional: true, description: 'Prices set before this time' })
  to?: string;
}

export class OddsHistoryDto extends PastPriceDto {
  @TextField({ max: 60, example: 'home' })
  outcome: string;

  @BoolField({ example: false, description: 'The first price of its outcome' })
  opening: boolean;

  @BoolField({ example: false, description: 'The last price of its outcome before the official start' })
  closing: boolean;
}

export class OfferedPriceDto {
  @IntField({
    optional: true,
    min: -100_000,
    max: 100_000,
    example: 450,
    description: 'American odds, at least 100 either way; this or decimal',
  })
  american?: number;

  @TextField({
    optional: true,
    max: 16,
    pattern: /^(\d{1,5}(\.\d{1,6})?|100000(\.0{1,6})?)$/,
    description: 'Decimal odds up to 100000, paid exactly as written; this or american',
  })
  decimal?: string;
}

export class NewPriceDto extends OfferedPriceDto {
  @TextField({ max: 60, pattern: KEY, example: 'home' })
  outcome: string;
}

export class NewPricesDto {
  @ObjectField(() => NewPriceDto, { list: true, min: 1, max: 100 })
  prices: NewPriceDto[];

  @TextField({ max: 500, example: 'The favourite is injured', description: 'Kept in the audit log' })
  reason: string;
}

export class OfferedOutcomeDto extends OfferedPriceDto {
  @TextField({ max: 60, pattern: KEY, example: 'kelce' })
  key: string;

  @TextField({ max: 120, example: 'Travis Kelce' })
  label: string;
}

export class NewMarketDto {
  @TextField({
    max: 60,
    pattern: KEY,
    example: 'first_touchdown',
    description: 'The field of the result (props) that decides it',
  })
  key: string;

  @TextField({ max: 120, example: 'First touchdown' })
  title: string;

  @ObjectField(() => OfferedOutcomeDto, {
    list: true,
    min: 2,
    max: 100,
    example: [
      { key: 'kelce', label: 'Travis Kelce', american: 180 },
      { key: 'mccaffrey', label: 'Christian McCaffrey', american: 150 },
      { key: 'another', label: 'Anybody else, or nobody', american: 200 },
    ],
  })
  outcomes: OfferedOutcomeDto[];

  @IntField({
    optional: true,
    min: 1,
    max: 100,
    example: 1,
    description: 'Winners that are expected (default 1)',
  })
  places?: number;
}

export class MarketLimitDto {
  @ValidateIf((fields: MarketLimitDto) => fields.maxStake !== null)
  @IntField({
    nullable: true,
    min: 0,
    max: 1_000_000_000,
    example: 500,
    description: 'Credits that one player may have staked on it at most; null: no limit of its own',
  })
  maxStake: number | null;

  @TextField({ max: 500, example: 'Little is known of this game', description: 'Kept in the audit log' })
  reason: string;
}
