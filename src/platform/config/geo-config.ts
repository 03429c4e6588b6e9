import { Transform } from 'class-transformer';
import { IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { PaymentsConfig } from './payments-config.js';

const toInt = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
const toList = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string'
    ? value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean)
    : value;

/** The variables by which callers' places are known. */
export class GeoConfig extends PaymentsConfig {
  /** What `edge/geo-worker` signs places with, or several by commas while it changes. When set, nothing else tells a place. */
  @Transform(toList)
  @Matches(/^[\x21-\x2b\x2d-\x7e]{32,}$/, {
    each: true,
    message: 'GEO_EDGE_SECRET must be of at least 32 characters: openssl rand -hex 32',
  })
  GEO_EDGE_SECRET: string[] = [];

  /** Seconds by which the time of a signature may differ from ours, either way. */
  @Transform(toInt)
  @IsInt()
  @Min(5)
  @Max(600)
  GEO_EDGE_TOLERANCE_SECONDS = 60;

  /** MMDB file in which addresses are looked up without an edge: MaxMind's or ip-location-db's. The embedded one (countries) when absent. */
  @IsOptional()
  @IsString()
  GEO_DATABASE?: string;

  /** MMDB file of networks that hide their users, as MaxMind's Anonymous IP. None when absent. */
  @IsOptional()
  @IsString()
  GEO_ANONYMOUS_DATABASE?: string;

  /** Place of private and loopback addresses: `US` or `US-CO`. Refused in production. */
  @IsOptional()
  @Matches(/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/, { message: 'GEO_LOCAL_PLACE must be such as US or US-CO' })
  GEO_LOCAL_PLACE?: string;
}

/** What lets people in by no place of theirs, and what lets nobody in. */
export function geoProblems(config: GeoConfig & { TRUSTED_PROXIES: string[] }): string[] {
  const problems: string[] = [];
  if (config.GEO_LOCAL_PLACE !== undefined)
    problems.push('GEO_LOCAL_PLACE: refused in production, where nobody has a private address');
  if (config.GEO_EDGE_SECRET.some((secret) => new Set(secret).size === 1))
    problems.push('GEO_EDGE_SECRET: is one character repeated; make it by openssl rand -hex 32');
  if (config.GEO_EDGE_SECRET.length > 0 && config.TRUSTED_PROXIES.length === 0)
    problems.push(
      'TRUSTED_PROXIES: required with GEO_EDGE_SECRET, which signs for the address of the client',
    );
  return problems;
}
