import { DateField, EnumField, IntField, ObjectField, TextField } from '../../../../platform/http/fields.js';
import { MoneyDto } from '../../dto/money.dto.js';

export class ActivityQuery {
  @EnumField(['3', '12'], { optional: true, description: 'Whole months before this one (default 3)' })
  months?: '3' | '12';
}

export class PurchasesDto {
  @IntField({ min: 0, example: 4000 })
  weekPasses: number;

  @IntField({ min: 0, example: 0 })
  subscriptions: number;

  @IntField({ min: 0, example: 500 })
  buyBacks: number;
}

/** Minor units of the currency. */
export class ActivityDto {
  @TextField({ max: 3, pattern: /^[A-Z]{3}$/, example: 'USD' })
  currency: string;

  @IntField({ min: 0, example: 5000, description: 'Into the wallet' })
  deposits: number;

  @ObjectField(() => PurchasesDto)
  purchases: PurchasesDto;

  @IntField({ example: 12000, description: 'Less those that were corrected' })
  prizes: number;

  @IntField({ example: 1000, description: 'Of deposits and purchases, what banks took back as well' })
  refunds: number;

  @IntField({ example: 6000, description: 'Less those that came back' })
  withdrawals: number;

  @IntField({ example: 8500, description: 'Prizes, less purchases that were not refunded' })
  result: number;

  @IntField({ example: 2500, description: 'Deposits and purchases, less refunds and withdrawals' })
  netDeposits: number;
}

export class MonthActivityDto {
  @DateField({ example: '2023-10-01', description: 'Its first day; months are those of UTC' })
  month: string;

  @ObjectField(() => ActivityDto, { list: true, description: 'Those in which something moved' })
  currencies: ActivityDto[];
}

export class ActivityStatementDto {
  @ObjectField(() => MonthActivityDto, { list: true, description: 'This month, then those before it' })
  months: MonthActivityDto[];

  @ObjectField(() => ActivityDto, { list: true, description: 'Of these months' })
  total: ActivityDto[];

  @ObjectField(() => MoneyDto, { list: true, description: 'Since the account was opened' })
  lifetimeNetDeposits: MoneyDto[];
}
