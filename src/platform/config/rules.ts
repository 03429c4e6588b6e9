import { Type } from 'class-transformer';
import {
  ArrayMinSize,
  IsIn,
  IsInt,
  IsISO4217CurrencyCode,
  IsObject,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { BetRules } from './bet-rules.js';
import { OAuthRules } from './oauth-config.js';
import { ComplianceRules } from './compliance-rules.js';
import { JurisdictionRules } from './jurisdiction-rules.js';
import { ModerationRules } from './moderation-rules.js';
import { MailRules } from './mail-rules.js';
import { OtpRules } from './otp-rules.js';
import { PaymentRules } from './payment-rules.js';
import { PeopleRules } from './people-rules.js';
import { PoolRules } from './pool-rules.js';
import { RateLimitRules } from './rate-limit-rules.js';
import { RealtimeRules } from './realtime-rules.js';
import { SportRules } from './sport-rules.js';
import { WithdrawalRules } from './withdrawal-rules.js';
import { Argon2Rules, LockoutRules, SecondFactorRules } from './protection-rules.js';
import { DpopRules, IdleRules } from './session-rules.js';

/** `config/prizes.yml`: what the places of a pool win. */
export class PrizeRules {
  /** `fixed`: each pot holds `potPerPool`. `entryFees`: the pots have their share of what was paid for the week. */
  @IsIn(['fixed', 'entryFees'])
  source: 'fixed' | 'entryFees';

  @IsISO4217CurrencyCode()
  currency: string;

  /** Minor units that each pool's pot holds, before what was carried over. */
  @IsInt()
  @Min(0)
  potPerPool: number;

  /** Percent of the entry fees in `currency` that go into the pots. */
  @IsInt()
  @Min(0)
  @Max(100)
  share: number;

  /** Weights of the places, first place first. */
  @ArrayMinSize(1)
  @IsInt({ each: true })
  @Min(1, { each: true })
  split: number[];

  /** Credits that must have been staked in the week to be given a prize. */
  @IsInt()
  @Min(0)
  minStaked: number;
}

/** `config/settlement.yml`. */
export class SettlementRules {
  /** Hours after its first start within which a postponed game keeps its bets. */
  @IsInt()
  @Min(0)
  postponedGraceHours: number;

  /**
   * Hours before its start until which a game that its feed moves has only a new schedule: bets stand, and the grace
   * runs from the new start. A later move to a later start is a postponement.
   */
  @IsInt()
  @Min(0)
  flexScheduleHours: number;

  /** Hours after the scheduled start when an unfinished game is void. */
  @IsInt()
  @Min(1)
  unfinishedVoidHours: number;

  /** Minutes of play after which an abandoned game counts, by sport. */
  @IsObject()
  actionMinutes: Record<string, number>;

  /** Bets that one chunk of a settlement grades at most (a chunk is one transaction). */
  @IsInt()
  @Min(1)
  chunkBets: number;

  /** Chunks that a worker process grades at once. */
  @IsInt()
  @Min(1)
  gradersPerWorker: number;

  /** Seconds for which a feed's result waits for another word before its bets are graded. */
  @IsInt()
  @Min(0)
  confirmAfterSeconds: number;

  /** A market, or a game by all of its markets, with more bets than these is voided by two people. */
  @IsInt()
  @Min(0)
  secondApprovalBets: number;

  /** Hours within which a second person must agree. */
  @IsInt()
  @Min(1)
  secondApprovalHours: number;
}

/** `config/auth.yml`. */
export class AuthRules {
  @IsInt()
  @Min(60)
  accessTokenSeconds: number;

  @IsInt()
  @Min(3600)
  refreshTokenSeconds: number;

  /** Seconds a session is kept in Redis before Postgres is asked again. */
  @IsInt()
  @Min(1)
  sessionCacheSeconds: number;

  /** Live sessions that one user may have; a further sign-in ends the oldest. */
  @IsInt()
  @Min(1)
  @Max(1000)
  sessionsPerUser: number;

  /** Version of the terms that must be accepted before a week is played. */
  @Matches(/^[0-9A-Za-z.-]{1,32}$/)
  termsVersion: string;

  /** Years of age below which nothing may be staked. */
  @IsInt()
  @Min(16)
  minimumAge: number;

  /** Minutes since the last proof within which a session may change the ways in, or take the data away. */
  @IsInt()
  @Min(1)
  proofMinutes: number;

  @ValidateNested()
  @Type(() => IdleRules)
  idle: IdleRules;

  @ValidateNested()
  @Type(() => DpopRules)
  dpop: DpopRules;

  @ValidateNested()
  @Type(() => Argon2Rules)
  argon2: Argon2Rules;

  @ValidateNested()
  @Type(() => ModerationRules)
  moderation: ModerationRules;

  @ValidateNested()
  @Type(() => OtpRules)
  otp: OtpRules;

  @ValidateNested()
  @Type(() => MailRules)
  mail: MailRules;

  @ValidateNested()
  @Type(() => LockoutRules)
  lockout: LockoutRules;

  @ValidateNested()
  @Type(() => SecondFactorRules)
  secondFactor: SecondFactorRules;

  @ValidateNested()
  @Type(() => OAuthRules)
  oauth: OAuthRules;

  /** Handles that only the operator's own accounts may have, without underscores and in small letters. */
  @Matches(/^[a-z0-9]+$/, { each: true })
  reservedHandles: string[];
}

/** `config/privacy.yml`: people's own data. */
export class PrivacyRules {
  /** Days between closing an account and erasing it. */
  @IsInt()
  @Min(1)
  closingDays: number;

  /** Hours between one export of a user's data and the next. */
  @IsInt()
  @Min(1)
  exportHours: number;

  /** Hours for which a finished export is kept. */
  @IsInt()
  @Min(1)
  exportKeptHours: number;

  /** Minutes for which a link to it works, unless the session that it was given to ends before. */
  @IsInt()
  @Min(1)
  exportLinkMinutes: number;
}

/** The rules an operator edits, one YAML file a property. */
export class Rules {
  @ValidateNested()
  @Type(() => PoolRules)
  pools: PoolRules;

  @ValidateNested()
  @Type(() => BetRules)
  bets: BetRules;

  @ValidateNested()
  @Type(() => PrizeRules)
  prizes: PrizeRules;

  @ValidateNested()
  @Type(() => SettlementRules)
  settlement: SettlementRules;

  @ValidateNested()
  @Type(() => AuthRules)
  auth: AuthRules;

  @ValidateNested()
  @Type(() => RateLimitRules)
  rateLimits: RateLimitRules;

  @ValidateNested()
  @Type(() => SportRules)
  sports: SportRules;

  @ValidateNested()
  @Type(() => PrivacyRules)
  privacy: PrivacyRules;

  @ValidateNested()
  @Type(() => PeopleRules)
  people: PeopleRules;

  @ValidateNested()
  @Type(() => PaymentRules)
  payments: PaymentRules;

  @ValidateNested()
  @Type(() => WithdrawalRules)
  withdrawals: WithdrawalRules;

  @ValidateNested()
  @Type(() => RealtimeRules)
  realtime: RealtimeRules;

  @ValidateNested()
  @Type(() => JurisdictionRules)
  jurisdictions: JurisdictionRules;

  @ValidateNested()
  @Type(() => ComplianceRules)
  compliance: ComplianceRules;
}
