import { IsInt, Max, Min } from 'class-validator';

/** `moderation` of `config/auth.yml`: reports and bans. */
export class ModerationRules {
  /** Reports that one user may file in any 24 hours. */
  @IsInt()
  @Min(1)
  reportsPerDay: number;

  /** Days that a ban by a moderator lasts at most; longer ones and those for good are for compliance and admins. */
  @IsInt()
  @Min(1)
  @Max(3650)
  shortBanDays: number;
}
