import { Type } from 'class-transformer';
import { IsInt, IsObject, Min, ValidateNested } from 'class-validator';
import { type AmountRange, AmountRanges, Prices, type PriceList } from './payment-rules.js';

/** `review` of `config/withdrawals.yml`. */
export class WithdrawalReviewRules {
  @IsInt()
  @Min(1)
  windowDays: number;

  @IsObject()
  @Prices()
  above: PriceList;
}

/** `config/withdrawals.yml`. */
export class WithdrawalRules {
  @IsObject()
  @AmountRanges()
  amounts: Readonly<Record<string, AmountRange>>;

  @ValidateNested()
  @Type(() => WithdrawalReviewRules)
  review: WithdrawalReviewRules;

  /** Hours after a new password. */
  @IsInt()
  @Min(0)
  coolOffHours: number;

  /** Withdrawals of one user that are under way. */
  @IsInt()
  @Min(1)
  openAtMost: number;

  /** Minutes after which a provider is asked what became of a payout. */
  @IsInt()
  @Min(1)
  askMinutes: number;
}
