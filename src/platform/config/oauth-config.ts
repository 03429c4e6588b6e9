import { Transform } from 'class-transformer';
import { IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';

const toList = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string'
    ? value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean)
    : value;
const withNewlines = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string' ? value.replaceAll('\\n', '\n') : value;

/** Plain http is for a provider or an app on the same machine, while developing. */
const URL_START = String.raw`^(https:\/\/[^\/?#@\s]+|http:\/\/(127\.0\.0\.1|localhost)(:\d+)?)`;
const ORIGIN = new RegExp(`${URL_START}$`);
const ADDRESS = new RegExp(String.raw`${URL_START}(\/[^?#\s]*)?$`);

/** The variables of signing in by Google and Apple. A provider without a client id is off. */
export class OAuthConfig {
  /** This API's own origin as clients reach it: https in production. Proofs of possession name it, and providers send back to it. */
  @Matches(ORIGIN, { message: 'PUBLIC_URL must be an origin such as https://api.example.com' })
  PUBLIC_URL = 'http://127.0.0.1:3000';

  /** Addresses of apps that a browser may be sent back to, each with all paths below it, by commas; https in production. */
  @Transform(toList)
  @Matches(ADDRESS, {
    each: true,
    message: 'OAUTH_REDIRECT_URLS must be addresses such as https://app.example.com/signed-in',
  })
  OAUTH_REDIRECT_URLS: string[] = [];

  /** Client of Google for browsers. Off when empty. */
  @IsOptional()
  @IsString()
  GOOGLE_CLIENT_ID?: string;

  /** Required with GOOGLE_CLIENT_ID. */
  @IsOptional()
  @IsString()
  GOOGLE_CLIENT_SECRET?: string;

  /** Clients of Google of our own apps, whose ID tokens are taken, separated by commas. */
  @Transform(toList)
  @IsString({ each: true })
  GOOGLE_NATIVE_CLIENT_IDS: string[] = [];

  /** Where Google's OpenID configuration is found. */
  @Matches(ADDRESS, { message: 'GOOGLE_ISSUER must be an https:// address' })
  GOOGLE_ISSUER = 'https://accounts.google.com';

  /** Services ID of Apple for browsers. Off when empty. */
  @IsOptional()
  @IsString()
  APPLE_CLIENT_ID?: string;

  /** Required with APPLE_CLIENT_ID, as are APPLE_KEY_ID and APPLE_PRIVATE_KEY. */
  @IsOptional()
  @IsString()
  APPLE_TEAM_ID?: string;

  /** Id of the key. */
  @IsOptional()
  @IsString()
  APPLE_KEY_ID?: string;

  /** The key (.p8) that Apple gave: P-256, PKCS#8 PEM, `\n` allowed for newlines. */
  @IsOptional()
  @Transform(withNewlines)
  @Matches(/-----BEGIN PRIVATE KEY-----/, { message: 'APPLE_PRIVATE_KEY must be a PKCS#8 PEM' })
  APPLE_PRIVATE_KEY?: string;

  /** Bundle ids of our own apps, whose ID tokens are taken, separated by commas. */
  @Transform(toList)
  @IsString({ each: true })
  APPLE_NATIVE_CLIENT_IDS: string[] = [];

  /** Where Apple's OpenID configuration is found. */
  @Matches(ADDRESS, { message: 'APPLE_ISSUER must be an https:// address' })
  APPLE_ISSUER = 'https://appleid.apple.com';
}

/** What is missing of a provider that is half configured. */
export function oauthProblems(config: OAuthConfig): string[] {
  const needs = (client: keyof OAuthConfig, ...others: (keyof OAuthConfig)[]) =>
    config[client] === undefined
      ? []
      : others.filter((name) => config[name] === undefined).map((name) => `${name}: required with ${client}`);
  return [
    ...needs('GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET'),
    ...needs('APPLE_CLIENT_ID', 'APPLE_TEAM_ID', 'APPLE_KEY_ID', 'APPLE_PRIVATE_KEY'),
  ];
}

/** `oauth` in `config/auth.yml`. */
export class OAuthRules {
  /** Seconds that a browser has to come back from a provider. */
  @IsInt()
  @Min(60)
  requestSeconds: number;

  /** Seconds that an app has to fetch what its ticket stands for. */
  @IsInt()
  @Min(10)
  @Max(600)
  ticketSeconds: number;

  /** Seconds a ticket lives, from its making, once its holder was told to register or to link. */
  @IsInt()
  @Min(60)
  @Max(3600)
  registrationSeconds: number;

  /** Seconds after it was issued in which an ID token is taken. */
  @IsInt()
  @Min(60)
  idTokenSeconds: number;

  /** Milliseconds that a provider has to answer. */
  @IsInt()
  @Min(100)
  @Max(30_000)
  timeoutMs: number;
}
