import { Type } from 'class-transformer';
import { IsInt, Max, Min, ValidateNested } from 'class-validator';

/** When one marker of harm is shown, and what it counts. */
export class MarkerRule {
  @IsInt()
  @Min(1)
  @Max(100)
  weight: number;

  /** Days that are looked at, the one that has ended last among them. */
  @IsInt()
  @Min(1)
  @Max(28)
  days: number;

  /** What is reached or passed. */
  @IsInt()
  @Min(1)
  threshold: number;

  /** Without so much of it nothing is said. */
  @IsInt()
  @Min(0)
  least: number;
}

/** How much an account counts that was opened on a device on which somebody excluded themselves. */
export class DeviceMarkerRule {
  @IsInt()
  @Min(1)
  @Max(100)
  weight: number;
}

/** `markers` of `config/compliance.yml`: signs that play does harm. UKGC SR 3.4.3, AGCO 2.10. */
export class MarkerRules {
  /** From which on somebody is shown to the compliance team. */
  @IsInt()
  @Min(1)
  score: number;

  /** Days after a decision in which nobody is shown again, unless by a higher score. */
  @IsInt()
  @Min(0)
  @Max(365)
  quietDays: number;

  /** Days for which figures are kept: longer than the longest look back. */
  @IsInt()
  @Min(60)
  @Max(3650)
  keepDays: number;

  /** People whose day is written in one transaction. */
  @IsInt()
  @Min(1)
  @Max(5000)
  chunk: number;

  /** Missed nights that are made up for. */
  @IsInt()
  @Min(1)
  @Max(31)
  catchUpDays: number;

  /** O'clock, where the player is. */
  @IsInt()
  @Min(1)
  @Max(12)
  nightEndsAt: number;

  @IsInt()
  @Min(1)
  @Max(72)
  chaseHours: number;

  @IsInt()
  @Min(100)
  @Max(1000)
  chasePercent: number;

  @ValidateNested()
  @Type(() => MarkerRule)
  chasingLosses: MarkerRule;

  @ValidateNested()
  @Type(() => MarkerRule)
  nightPlay: MarkerRule;

  @ValidateNested()
  @Type(() => MarkerRule)
  risingStakes: MarkerRule;

  @ValidateNested()
  @Type(() => MarkerRule)
  declinedDeposits: MarkerRule;

  @ValidateNested()
  @Type(() => MarkerRule)
  paidInWhileWithdrawing: MarkerRule;

  @ValidateNested()
  @Type(() => MarkerRule)
  frequentDeposits: MarkerRule;

  @ValidateNested()
  @Type(() => MarkerRule)
  longPlay: MarkerRule;

  @ValidateNested()
  @Type(() => DeviceMarkerRule)
  excludedDevice: DeviceMarkerRule;
}
