import {
  LIMIT_KINDS,
  LIMIT_PERIODS,
  type LimitKind,
  type LimitPeriod,
} from '../../../../platform/config/jurisdiction-rules.js';
import {
  EnumField,
  IntField,
  ListField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../../platform/http/fields.js';
import { MoneyDto } from '../../dto/money.dto.js';

const CURRENCY = { max: 3, pattern: /^[A-Z]{3}$/, example: 'USD' };
const KIND = {
  description:
    'deposit and stake count gross; loss: what is staked less what was won, and what is undecided counts as lost',
};
const PERIOD = { description: 'day: 24 hours; week: 7 days, both rolling; month: a calendar month in UTC' };

export class LimitParam {
  @UuidField()
  id: string;
}

export class SetLimitDto {
  @EnumField(LIMIT_KINDS, KIND)
  kind: LimitKind;

  @EnumField(LIMIT_PERIODS, PERIOD)
  period: LimitPeriod;

  @TextField(CURRENCY)
  currency: string;

  @IntField({
    optional: true,
    min: 0,
    example: 5000,
    description:
      'Minor units of the currency. Left out: no such limit any more, which waits as a higher one does',
  })
  amount?: number;
}

export class LimitRequestDto {
  @IntField({ nullable: true, min: 0, example: 10000, description: 'What it is to be; null: no limit' })
  amount: number | null;

  @TimeField()
  askedAt: string;

  @TimeField({ description: 'From when on it can be confirmed' })
  confirmFrom: string;

  @TimeField({ description: 'From when on it has lapsed' })
  confirmUntil: string;
}

export class LimitDto {
  @UuidField()
  id: string;

  @EnumField(LIMIT_KINDS, KIND)
  kind: LimitKind;

  @EnumField(LIMIT_PERIODS, PERIOD)
  period: LimitPeriod;

  @TextField(CURRENCY)
  currency: string;

  @IntField({
    nullable: true,
    min: 0,
    example: 5000,
    description: 'In force, in minor units; null: none any more',
  })
  amount: number | null;

  @IntField({
    nullable: true,
    min: 0,
    example: 5000,
    description: "The lowest of the caller's own, the place's and the operator's",
  })
  applies: number | null;

  @IntField({
    example: 2000,
    description:
      'What counts towards it now, payments that are under way as well; less than 0 of losses when more was won',
  })
  used: number;

  @IntField({ nullable: true, min: 0, example: 3000, description: 'What is left of it' })
  available: number | null;

  @ObjectField(() => LimitRequestDto, {
    nullable: true,
    description: 'What was asked for and waits to be confirmed',
  })
  request: LimitRequestDto | null;
}

export class MaximumDto {
  @EnumField(LIMIT_KINDS)
  kind: LimitKind;

  @EnumField(LIMIT_PERIODS)
  period: LimitPeriod;

  @ObjectField(() => MoneyDto)
  amount: MoneyDto;
}

export class LimitsDto {
  @ObjectField(() => LimitDto, { list: true })
  limits: LimitDto[];

  @ObjectField(() => MaximumDto, { list: true, description: 'What nobody goes beyond where the caller is' })
  maxima: MaximumDto[];

  @ListField('string', {
    example: ['deposit'],
    description: 'Kinds of which the caller needs a limit of their own, in the currency, where they are',
  })
  required: string[];

  @IntField({ min: 1, example: 24, description: 'Hours before a higher limit, or none, can be confirmed' })
  waitHours: number;

  @IntField({ min: 1, example: 168, description: 'Hours within which it is to be confirmed then' })
  confirmHours: number;
}
