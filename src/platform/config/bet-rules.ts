import { IsBoolean, IsInt, Max, Min } from 'class-validator';

/** `config/bets.yml`: what a bet may be. */
export class BetRules {
  /** Credits that one bet pays at most, the stake included. */
  @IsInt()
  @Min(1)
  @Max(1_000_000_000_000)
  maxPayout: number;

  /** Seconds from its placing in which a bet can be taken back, before the first of its games starts. */
  @IsInt()
  @Min(0)
  @Max(3600)
  cancelWindowSeconds: number;

  /** Bets of a week that one player takes back at most. */
  @IsInt()
  @Min(0)
  @Max(100_000)
  cancelsPerWeek: number;

  /** Whether a bet that its user shares shows what was staked on it. */
  @IsBoolean()
  shareStake: boolean;
}
