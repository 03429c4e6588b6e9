import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsIn,
  IsInt,
  IsString,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';

/** How a league's seasons are named. */
export class SeasonRules {
  /** Month (1 to 12) in which a season begins. */
  @IsInt()
  @Min(1)
  @Max(12)
  firstMonth: number;

  /** 1: `2023`, 2: `2022-23`. */
  @IsIn([1, 2])
  years: 1 | 2;
}

/** One of the provider's sports, which are what we call leagues. */
export class OddsApiSport {
  /** The provider's: `basketball_nba`. */
  @Matches(/^[a-z0-9_]{3,60}$/)
  key: string;

  /** A key of `names`. */
  @IsString()
  sport: string;

  @IsString()
  league: string;

  /** What its head-to-head market is. Bookmakers who quote the other one (a draw in hockey) are passed over. */
  @IsIn(['moneyline', 'three_way'])
  h2h: 'moneyline' | 'three_way';

  @ValidateNested()
  @Type(() => SeasonRules)
  season: SeasonRules;
}

/** Seconds between two questions of a kind; the provider's own refresh is a minute, half a minute of scores. */
export class OddsApiSeconds {
  @IsInt()
  @Min(1)
  @Max(86_400)
  schedule: number;

  @IsInt()
  @Min(1)
  @Max(86_400)
  odds: number;

  @IsInt()
  @Min(1)
  @Max(86_400)
  scores: number;

  @IsInt()
  @Min(1)
  @Max(86_400)
  results: number;
}

/** The feed `odds-api`: what is asked of The Odds API v4, and which of its prices is offered. */
export class OddsApiRules {
  @ArrayMinSize(1)
  @ArrayUnique((sport: OddsApiSport) => sport.key)
  @ValidateNested({ each: true })
  @Type(() => OddsApiSport)
  sports: OddsApiSport[];

  /** Whose bookmakers are asked for. Asking for odds costs a credit for each region and market, of each sport. */
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(['us', 'us2', 'us_dfs', 'us_ex', 'uk', 'eu', 'fr', 'se', 'au'], { each: true })
  regions: string[];

  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(['h2h', 'spreads', 'totals'], { each: true })
  markets: string[];

  /** The bookmakers whose prices are preferred, the first one most. Without any of them it is the median one's. */
  @ArrayUnique()
  @ArrayMaxSize(40)
  @Matches(/^[a-z0-9_]{2,60}$/, { each: true })
  bookmakers: string[];

  /** Bookmakers and markets that are never looked at; `*` stands for anything. */
  @ArrayUnique()
  @Matches(/^[a-z0-9_*]{2,60}$/, { each: true })
  excluded: string[];

  /** Seconds after which a price that its bookmaker has not confirmed is too old. */
  @IsInt()
  @Min(60)
  @Max(86_400)
  priceMaxAgeSeconds: number;

  @ValidateNested()
  @Type(() => OddsApiSeconds)
  everySeconds: OddsApiSeconds;

  /** Days back for which results are asked, of which the provider has three. */
  @IsInt()
  @Min(1)
  @Max(3)
  daysFrom: number;

  /** Credits left below which everything that costs some is asked `slowerBy` times as seldom. */
  @IsInt()
  @Min(0)
  quotaReserve: number;

  @IsInt()
  @Min(1)
  @Max(1000)
  slowerBy: number;

  /** Seconds for which nothing is asked once no credits are left. */
  @IsInt()
  @Min(1)
  @Max(86_400)
  spentPauseSeconds: number;
}
