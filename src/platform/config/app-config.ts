import { Transform } from 'class-transformer';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  MinLength,
} from 'class-validator';
import { FeedsConfig } from './feeds-config.js';

const toInt = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
const toNumber = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
const toBoolean = ({ value }: { value: unknown }): unknown =>
  value === 'true' ? true : value === 'false' ? false : value;
const toList = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string'
    ? value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean)
    : value;

const POSTGRES_URL = /^postgres(ql)?:\/\//;
const REDIS_URL = /^rediss?:\/\//;

/** Every environment variable the API and the worker read. `.env.example` is held against it by a test. */
export class AppConfig extends FeedsConfig {
  /** `production` switches off everything meant for development: the movable clock, generated keys. */
  @IsIn(['development', 'test', 'production'])
  NODE_ENV: 'development' | 'test' | 'production' = 'development';

  /** Address the API listens on. */
  @IsString()
  HOST = '127.0.0.1';

  /** Port of the API. 0 takes any free one. */
  @Transform(toInt)
  @IsInt()
  @Min(0)
  @Max(65_535)
  PORT = 3000;

  /** Port on which the worker serves `/metrics` and `/health`. 0 takes any free one. */
  @Transform(toInt)
  @IsInt()
  @Min(0)
  @Max(65_535)
  WORKER_PORT = 3100;

  /** Postgres 15 to 18; may lead through PgBouncer in transaction mode. */
  @Matches(POSTGRES_URL, { message: 'DATABASE_URL must be a postgres:// URL' })
  DATABASE_URL: string;

  /** Postgres without PgBouncer, for migrations. Falls back to DATABASE_URL. */
  @IsOptional()
  @Matches(POSTGRES_URL, { message: 'DATABASE_DIRECT_URL must be a postgres:// URL' })
  DATABASE_DIRECT_URL?: string;

  /** Connections of each process. */
  @Transform(toInt)
  @IsInt()
  @Min(2)
  @Max(200)
  DATABASE_POOL_SIZE = 10;

  /** Milliseconds a request waits for a connection before it answers 503. */
  @Transform(toInt)
  @IsInt()
  @Min(100)
  DATABASE_CONNECT_TIMEOUT_MS = 3000;

  /** Milliseconds after which the API gives a statement up and answers 503. The worker's may take a minute. */
  @Transform(toInt)
  @IsInt()
  @Min(500)
  DATABASE_STATEMENT_TIMEOUT_MS = 10_000;

  /** Redis 7 or Valkey 8. */
  @Matches(REDIS_URL, { message: 'REDIS_URL must be a redis:// or rediss:// URL' })
  REDIS_URL: string;

  /** The Redis of the queues (noeviction, appendonly). Falls back to REDIS_URL. */
  @IsOptional()
  @Matches(REDIS_URL, { message: 'REDIS_QUEUE_URL must be a redis:// or rediss:// URL' })
  REDIS_QUEUE_URL?: string;

  /** The Redis of sessions, rate limits and caches (may evict). Falls back to REDIS_URL. */
  @IsOptional()
  @Matches(REDIS_URL, { message: 'REDIS_CACHE_URL must be a redis:// or rediss:// URL' })
  REDIS_CACHE_URL?: string;

  /** Put before every key and channel, so that several systems can share one Redis. */
  @Matches(/^[a-z0-9_-]{1,40}$/)
  REDIS_PREFIX = 'parley';

  /** Ed25519 or P-256 private key (PKCS#8 PEM, `\n` allowed for newlines) that signs access tokens. */
  @Matches(/-----BEGIN PRIVATE KEY-----/, {
    message: 'JWT_PRIVATE_KEY must be an Ed25519 or P-256 PKCS#8 PEM',
  })
  JWT_PRIVATE_KEY: string;

  /** Keys that signed before it and are still verified: PEM, public or private, one after the other. */
  @IsOptional()
  @Matches(/^(\s*-----BEGIN (PUBLIC|PRIVATE) KEY-----[A-Za-z0-9+/=\s]+-----END \2 KEY-----\s*)+$/, {
    message: 'JWT_RETIRED_KEYS must be PEM of public or private keys',
  })
  JWT_RETIRED_KEYS?: string;

  /** Keys of what is encrypted at rest, `id:base64 of 32 bytes`, by commas: the first encrypts, all decrypt. */
  @Transform(toList)
  @Matches(/^[a-z0-9-]{1,32}:[A-Za-z0-9+/]{43}=$/, {
    each: true,
    message: 'ENCRYPTION_KEYS must be id:key pairs, each key 32 bytes in base64',
  })
  ENCRYPTION_KEYS: string[] = [];

  /** Key (base64 of 32 bytes) of the indexes by which encrypted values are found. */
  @IsOptional()
  @Matches(/^[A-Za-z0-9+/]{43}=$/, { message: 'BLIND_INDEX_KEY must be 32 bytes in base64' })
  BLIND_INDEX_KEY?: string;

  /** Where people use the product: what links in mails and answers lead to. */
  @Matches(/^https?:\/\/[^/?#]+(\/[^?#]*[^/?#])?$/, {
    message: 'APP_URL must be such as https://app.example.com',
  })
  APP_URL = 'http://127.0.0.1:3000';

  /** Who carries mail. `log` shows it in the log instead. */
  @IsIn(['log', 'smtp'])
  MAIL_SENDER: 'log' | 'smtp' = 'log';

  /** What mail comes from: an address, or `Name <address>`. */
  @Matches(/^([^<>"\p{Cc}]+ <)?[^\s<>"@]+@[^\s<>"@]+>?$/u, {
    message: 'MAIL_FROM must be an address or Name <address>',
  })
  MAIL_FROM = 'Parley <no-reply@parley.localhost>';

  /** Required with MAIL_SENDER=smtp: `smtps://user:password@host`, or `smtp://host:587?requireTLS=true`. */
  @IsOptional()
  @Matches(/^smtps?:\/\/[^/?#]+\/?(\?.*)?$/, { message: 'SMTP_URL must be an smtp:// or smtps:// URL' })
  SMTP_URL?: string;

  /** Who carries text messages. `log` shows them in the log instead. */
  @IsIn(['log', 'twilio'])
  SMS_SENDER: 'log' | 'twilio' = 'log';

  /** Account of Twilio; required with SMS_SENDER=twilio, as are its token and sender. */
  @IsOptional()
  @Matches(/^AC[0-9a-fA-F]{32}$/, { message: 'TWILIO_ACCOUNT_SID must be AC and 32 hexadecimal digits' })
  TWILIO_ACCOUNT_SID?: string;

  @IsOptional()
  @MinLength(16)
  TWILIO_AUTH_TOKEN?: string;

  /** What messages come from: a number in E.164, a messaging service (MG…) or an alphanumeric sender. */
  @IsOptional()
  @Matches(/^(\+[1-9]\d{6,14}|MG[0-9a-fA-F]{32}|[A-Za-z0-9][A-Za-z0-9 ]{0,10})$/, {
    message:
      'TWILIO_FROM must be a number in E.164, a messaging service or a sender of at most 11 characters',
  })
  TWILIO_FROM?: string;

  /** Twilio, or one of its regions. */
  @Matches(/^https?:\/\/[^/?#]+\/?$/, { message: 'TWILIO_API_URL must be such as https://api.twilio.com' })
  TWILIO_API_URL = 'https://api.twilio.com';

  /** Origins that browsers may call from, separated by commas. */
  @Transform(toList)
  @Matches(/^https?:\/\/[^/*]+$/, {
    each: true,
    message: 'CORS_ORIGINS must be origins such as https://app.example.com',
  })
  CORS_ORIGINS: string[] = [];

  /** Proxies whose X-Forwarded-For is believed: addresses, networks or `loopback`, separated by commas. */
  @Transform(toList)
  @IsString({ each: true })
  TRUSTED_PROXIES: string[] = [];

  /** Who tells people from programs where somebody registers, asks for a code or has tried wrong passwords. */
  @IsIn(['off', 'hcaptcha', 'turnstile'])
  CAPTCHA_PROVIDER: 'off' | 'hcaptcha' | 'turnstile' = 'off';

  /** The secret that the provider of the CAPTCHA gave. */
  @IsOptional()
  @MinLength(8)
  CAPTCHA_SECRET?: string;

  /** Where tokens are verified. The provider's own address when absent. */
  @IsOptional()
  @Matches(/^https?:\/\/\S+$/, { message: 'CAPTCHA_VERIFY_URL must be an http(s) URL' })
  CAPTCHA_VERIFY_URL?: string;

  /** When set, `/metrics` asks for it as a bearer token. Required in production. */
  @IsOptional()
  @MinLength(16)
  METRICS_TOKEN?: string;

  /** Multiplies every limit of `config/rate-limits.yml`. */
  @Transform(toNumber)
  @IsNumber()
  @Min(0.01)
  RATE_LIMIT_FACTOR = 1;

  @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
  LOG_LEVEL: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent' = 'info';

  /** Milliseconds that in-flight requests and jobs have to finish after SIGTERM. */
  @Transform(toInt)
  @IsInt()
  @Min(0)
  SHUTDOWN_GRACE_MS = 10_000;

  /** `movable` lets an admin move the time (demo and tests). Refused in production. */
  @IsIn(['system', 'movable'])
  CLOCK_MODE: 'system' | 'movable' = 'system';

  /** Folder of the rules an operator edits. */
  @IsString()
  CONFIG_DIR = 'config';

  /** Serves `/docs` and `/docs/openapi.json`. */
  @Transform(toBoolean)
  @IsBoolean()
  DOCS_ENABLED = true;
}
