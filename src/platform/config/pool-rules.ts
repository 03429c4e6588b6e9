import { IsBoolean, IsIn, IsInt, IsTimeZone, Max, Min } from 'class-validator';

/** `config/pools.yml`: the weekly competition. */
export class PoolRules {
  /** Zone in which weeks turn at Monday 00:00. */
  @IsTimeZone()
  zone: string;

  /** Credits each member starts a week with. */
  @IsInt()
  @Min(1)
  startingCredits: number;

  /** Credits a buy-back adds. */
  @IsInt()
  @Min(1)
  buyBackCredits: number;

  /** Members of a pool at most. */
  @IsInt()
  @Min(2)
  @Max(1000)
  maxSize: number;

  /** `even`: pools as equal as can be. `full`: maxSize, maxSize, …, rest. */
  @IsIn(['even', 'full'])
  fill: 'even' | 'full';

  /** Smallest and largest stake of one bet, in credits. */
  @IsInt()
  @Min(1)
  minStake: number;

  @IsInt()
  @Min(1)
  maxStake: number;

  /** Whether its members may take a bet back shortly after placing it (`config/bets.yml` says how long). */
  @IsBoolean()
  cancelBets: boolean;
}
