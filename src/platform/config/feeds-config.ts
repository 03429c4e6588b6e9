import { Transform } from 'class-transformer';
import { IsIn, IsOptional, IsString, IsUrl, Matches } from 'class-validator';
import { KycConfig } from './kyc-config.js';

const toList = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string'
    ? value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean)
    : value;

export const FEED_NAMES = ['replay', 'odds-api', 'csv'] as const;
export type FeedName = (typeof FEED_NAMES)[number];

/** The variables by which games and prices come in while the product runs. */
export class FeedsConfig extends KycConfig {
  /** Feeds that the worker follows, by commas: `replay` plays a past season by the clock, `odds-api` is the-odds-api.com, `csv` a folder of season files. None when empty. */
  @Transform(toList)
  @IsIn(FEED_NAMES, { each: true, message: `SPORTS_FEEDS must be of ${FEED_NAMES.join(', ')}` })
  SPORTS_FEEDS: FeedName[] = [];

  /** Key of The Odds API; required with the feed `odds-api`. */
  @IsOptional()
  @Matches(/^[A-Za-z0-9]{16,64}$/, { message: 'ODDS_API_KEY must be the key as it was mailed' })
  ODDS_API_KEY?: string;

  /** Where The Odds API is. */
  @IsUrl({ require_tld: false, require_protocol: true, protocols: ['https', 'http'] })
  ODDS_API_URL = 'https://api.the-odds-api.com';

  /** Folder whose season files the feed `csv` reads, again whenever one changes; required with it. */
  @IsOptional()
  @IsString()
  SPORTS_CSV_DIR?: string;
}

/** What a feed lacks that is to be followed. */
export function feedsProblems(config: FeedsConfig): string[] {
  const problems: string[] = [];
  if (new Set(config.SPORTS_FEEDS).size < config.SPORTS_FEEDS.length)
    problems.push('SPORTS_FEEDS: a feed stands there twice');
  if (config.SPORTS_FEEDS.includes('odds-api') && config.ODDS_API_KEY === undefined)
    problems.push('ODDS_API_KEY: required with the feed odds-api');
  if (config.SPORTS_FEEDS.includes('csv') && config.SPORTS_CSV_DIR === undefined)
    problems.push('SPORTS_CSV_DIR: required with the feed csv');
  return problems;
}

/** A season that everybody can look up would decide what real prizes are given for. */
export function feedsPlayedAgain(config: FeedsConfig): string[] {
  return config.SPORTS_FEEDS.includes('replay')
    ? ['SPORTS_FEEDS: replay is refused in production, where everybody can look its results up']
    : [];
}
