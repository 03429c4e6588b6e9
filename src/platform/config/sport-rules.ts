import { Type } from 'class-transformer';
import {
  ArrayMinSize,
  ArrayUnique,
  IsInt,
  IsNumber,
  IsObject,
  IsString,
  IsTimeZone,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { OddsApiRules } from './odds-api-rules.js';

/** When the prices of a feed that has fallen silent are too old to bet on. */
export class StaleRules {
  /** Seconds without a word, of a game that goes on. */
  @IsInt()
  @Min(1)
  @Max(86_400)
  liveSeconds: number;

  /** Seconds without a word, of a game that has not begun. */
  @IsInt()
  @Min(1)
  @Max(86_400)
  beforeStartSeconds: number;
}

/** Seconds between two questions to a feed. */
export class PollRules {
  @IsNumber()
  @Min(0.1)
  @Max(86_400)
  schedule: number;

  @IsNumber()
  @Min(0.1)
  @Max(86_400)
  odds: number;

  @IsNumber()
  @Min(0.1)
  @Max(86_400)
  scores: number;

  @IsNumber()
  @Min(0.1)
  @Max(86_400)
  results: number;

  /** After which an answer is not waited for any longer. */
  @IsNumber()
  @Min(0.1)
  @Max(60)
  timeout: number;

  /** Between two tries of a feed that fails, at most: they grow further apart until then. */
  @IsNumber()
  @Min(0.1)
  @Max(600)
  backOff: number;
}

/** What can be true in a sport at most. */
export class SportBounds {
  /** A key of `names`, or `other` for those that have no bounds of their own. */
  @IsString()
  sport: string;

  /** Points by which a side can be given a start, either way. */
  @IsNumber()
  @Min(0.25)
  spread: number;

  /** Least and greatest line of a total. */
  @IsNumber()
  @Min(0.25)
  totalMin: number;

  @IsNumber()
  @Min(0.25)
  totalMax: number;

  /** Points of a spread from which on its favourite has to be the moneyline's too: nearer to even either may be. */
  @IsNumber()
  @Min(0)
  favouriteFrom: number;

  /** Hours within which the same teams do not meet twice. */
  @IsInt()
  @Min(0)
  @Max(1000)
  sameTeamsHours: number;

  /** Points of one side in one game. */
  @IsInt()
  @Min(1)
  score: number;
}

/** What a feed may say before it is believed. */
export class CheckRules {
  /** What the prices of a market make of 1 in all, less 1: below the least they give money away, above the most they are none. */
  @IsNumber()
  @Min(-1)
  @Max(1)
  overroundMin: number;

  @IsNumber()
  @Min(0)
  @Max(5)
  overroundMax: number;

  /** Days that a start may lie ahead. */
  @IsInt()
  @Min(1)
  @Max(1000)
  startWithinDays: number;

  /** One of each sport, and `other`. */
  @ArrayMinSize(1)
  @ArrayUnique((bounds: SportBounds) => bounds.sport)
  @ValidateNested({ each: true })
  @Type(() => SportBounds)
  bounds: SportBounds[];
}

/** A past season that is played by the clock. */
export class ReplayRules {
  /** Minutes between two starts. */
  @IsInt()
  @Min(1)
  @Max(10_080)
  everyMinutes: number;

  /** Hours for which games are announced ahead. */
  @IsInt()
  @Min(1)
  @Max(168)
  horizonHours: number;

  /** Minutes that a game takes. */
  @IsInt()
  @Min(1)
  @Max(600)
  playMinutes: number;

  /** Season files, one after the other and then from the beginning. */
  @IsString({ each: true })
  @ArrayMinSize(1)
  files: string[];
}

/** `config/sports.yml`. */
export class SportRules {
  /** Names of the sports and the leagues shown to clients. */
  @IsObject()
  names: Record<string, string>;

  /** Zone in which a day of the slate (`GET games?date=`) begins and ends. */
  @IsTimeZone()
  slateZone: string;

  @ValidateNested()
  @Type(() => StaleRules)
  staleAfter: StaleRules;

  @ValidateNested()
  @Type(() => PollRules)
  polls: PollRules;

  @ValidateNested()
  @Type(() => CheckRules)
  checks: CheckRules;

  @ValidateNested()
  @Type(() => ReplayRules)
  replay: ReplayRules;

  @ValidateNested()
  @Type(() => OddsApiRules)
  oddsApi: OddsApiRules;
}
