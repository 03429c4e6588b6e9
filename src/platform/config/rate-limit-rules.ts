import { Type } from 'class-transformer';
import { IsInt, Min, ValidateNested } from 'class-validator';

export class RateLimitRule {
  @IsInt()
  @Min(1)
  limit: number;

  @IsInt()
  @Min(1)
  seconds: number;
}

/** `config/rate-limits.yml`: requests allowed in a window, by tier or by operation. */
export class RateLimitRules {
  /** By address, before anything else is looked at. */
  @ValidateNested()
  @Type(() => RateLimitRule)
  flood: RateLimitRule;

  @ValidateNested()
  @Type(() => RateLimitRule)
  anonymous: RateLimitRule;

  @ValidateNested()
  @Type(() => RateLimitRule)
  authenticated: RateLimitRule;

  @ValidateNested()
  @Type(() => RateLimitRule)
  premium: RateLimitRule;

  /** Codes sent by text message, by subscriber's network and by user, to whatever numbers. */
  @ValidateNested()
  @Type(() => RateLimitRule)
  otpSend: RateLimitRule;

  /** Statements of a wallet, by user: each may read years of transactions. */
  @ValidateNested()
  @Type(() => RateLimitRule)
  walletStatement: RateLimitRule;

  /** Exports of the audit log, by user: each may read all of it. */
  @ValidateNested()
  @Type(() => RateLimitRule)
  auditExport: RateLimitRule;

  /** Callbacks that are not signed, by what they are about: whoever pays knows its id. */
  @ValidateNested()
  @Type(() => RateLimitRule)
  paymentCallbacks: RateLimitRule;
}
