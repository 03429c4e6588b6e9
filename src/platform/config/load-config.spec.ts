import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigError, loadAppConfig, loadRules } from './load-config.js';

const CONFIG = join(import.meta.dirname, '../../../config');
const KEY = '-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n';
const BYTES_32 = Buffer.alloc(32, 7).toString('base64');
const ENOUGH = {
  DATABASE_URL: 'postgres://127.0.0.1/parley',
  REDIS_URL: 'redis://127.0.0.1',
  JWT_PRIVATE_KEY: KEY,
};

function problemsOf(load: () => unknown): readonly string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the environment', () => {
  it('is enough with two addresses and a key', () => {
    expect(loadAppConfig(ENOUGH)).toMatchObject({
      ...ENOUGH,
      NODE_ENV: 'development',
      PORT: 3000,
      CORS_ORIGINS: [],
    });
  });

  it('is read into numbers, truths and lists', () => {
    const config = loadAppConfig({
      ...ENOUGH,
      PORT: '0',
      RATE_LIMIT_FACTOR: '2.5',
      DOCS_ENABLED: 'false',
      CORS_ORIGINS: 'https://app.example.com, http://localhost:5173,',
      TRUSTED_PROXIES: 'loopback,10.0.0.0/8',
      JWT_PRIVATE_KEY: KEY.replaceAll('\n', '\\n'),
      HOME: '/not/ours',
    });
    expect(config).toMatchObject({
      PORT: 0,
      RATE_LIMIT_FACTOR: 2.5,
      DOCS_ENABLED: false,
      CORS_ORIGINS: ['https://app.example.com', 'http://localhost:5173'],
      TRUSTED_PROXIES: ['loopback', '10.0.0.0/8'],
      JWT_PRIVATE_KEY: KEY,
    });
    expect(config).not.toHaveProperty('HOME');
  });

  it('counts an empty variable as absent', () => {
    expect(loadAppConfig({ ...ENOUGH, PORT: '', METRICS_TOKEN: '' })).toEqual(loadAppConfig(ENOUGH));
    expect(problemsOf(() => loadAppConfig({ ...ENOUGH, DATABASE_URL: '' }))).toEqual([
      'DATABASE_URL: DATABASE_URL must be a postgres:// URL',
    ]);
  });

  it('is refused with the whole list of what is wrong', () => {
    const wrong = {
      NODE_ENV: 'staging',
      PORT: '65536',
      WORKER_PORT: 'three thousand',
      DATABASE_URL: 'mysql://127.0.0.1/parley',
      DATABASE_DIRECT_URL: '127.0.0.1',
      DATABASE_POOL_SIZE: '1',
      DATABASE_CONNECT_TIMEOUT_MS: '1.5',
      DATABASE_STATEMENT_TIMEOUT_MS: '0',
      REDIS_URL: 'http://127.0.0.1',
      REDIS_QUEUE_URL: 'memory',
      REDIS_CACHE_URL: 'memory',
      REDIS_PREFIX: 'With Space',
      JWT_PRIVATE_KEY: 'secret',
      JWT_RETIRED_KEYS: `${KEY} and more`,
      CORS_ORIGINS: '*',
      METRICS_TOKEN: 'short',
      CAPTCHA_PROVIDER: 'maths',
      CAPTCHA_VERIFY_URL: 'ftp://127.0.0.1',
      ENCRYPTION_KEYS: 'a key',
      APP_URL: 'app.example.com',
      MAIL_SENDER: 'pigeon',
      MAIL_FROM: 'Parley',
      SMTP_URL: 'https://mail.example.com',
      BLIND_INDEX_KEY: 'a key',
      PUBLIC_URL: 'http://api.example.com',
      OAUTH_REDIRECT_URLS: 'https://app.example.com/?a=b',
      GOOGLE_ISSUER: 'accounts.google.com',
      APPLE_ISSUER: 'http://10.0.0.1',
      APPLE_PRIVATE_KEY: 'secret',
      RATE_LIMIT_FACTOR: '0',
      LOG_LEVEL: 'loud',
      SHUTDOWN_GRACE_MS: '-1',
      CLOCK_MODE: 'stopped',
      DOCS_ENABLED: 'yes',
    };
    const named = problemsOf(() => loadAppConfig(wrong)).map((line) => line.split(':', 1)[0]);
    expect(new Set(named)).toEqual(new Set(Object.keys(wrong)));
  });

  it('tells all of it in the message, one line each', () => {
    expect(() => loadAppConfig({})).toThrow(
      'The configuration has 3 problem(s):\n' +
        '  - DATABASE_URL: DATABASE_URL must be a postgres:// URL\n' +
        '  - REDIS_URL: REDIS_URL must be a redis:// or rediss:// URL\n' +
        '  - JWT_PRIVATE_KEY: JWT_PRIVATE_KEY must be an Ed25519 or P-256 PKCS#8 PEM',
    );
  });

  it.each(['*', 'https://*.example.com', 'https://app.example.com/', 'app.example.com', 'null'])(
    'lets no browser in from %s',
    (origin) => {
      expect(
        problemsOf(() => loadAppConfig({ ...ENOUGH, CORS_ORIGINS: `https://good.example.com,${origin}` })),
      ).toEqual(['CORS_ORIGINS: CORS_ORIGINS must be origins such as https://app.example.com']);
    },
  );

  it('of mail by SMTP names its server', () => {
    expect(problemsOf(() => loadAppConfig({ ...ENOUGH, MAIL_SENDER: 'smtp' }))).toEqual([
      'SMTP_URL: required with MAIL_SENDER=smtp',
    ]);
    const smtp = { MAIL_SENDER: 'smtp', SMTP_URL: 'smtp://mail.example.com', NODE_ENV: 'production' };
    expect(problemsOf(() => loadAppConfig({ ...ENOUGH, ...smtp }))).toContain(
      'APP_URL: mailed links must be https in production',
    );
    for (const MAIL_FROM of ['a@example.com', 'Parley <a@example.com>'])
      expect(
        problemsOf(() =>
          loadAppConfig({
            ...ENOUGH,
            MAIL_SENDER: 'smtp',
            SMTP_URL: 'smtps://a:b@mail.example.com',
            MAIL_FROM,
          }),
        ),
      ).toEqual([]);
    for (const MAIL_FROM of ['Parley', 'a@b@c', 'x\r\nBcc: <a@example.com>', '"x" <a@example.com>'])
      expect(problemsOf(() => loadAppConfig({ ...ENOUGH, MAIL_FROM }))).toEqual([
        'MAIL_FROM: MAIL_FROM must be an address or Name <address>',
      ]);
  });

  it('asks for the secret of a CAPTCHA that is on', () => {
    const captcha = { ...ENOUGH, CAPTCHA_PROVIDER: 'turnstile' };
    expect(problemsOf(() => loadAppConfig(captcha))).toEqual([
      'CAPTCHA_SECRET: required with CAPTCHA_PROVIDER=turnstile',
    ]);
    expect(problemsOf(() => loadAppConfig({ ...captcha, CAPTCHA_SECRET: 'x'.repeat(35) }))).toEqual([]);
  });

  it('names each encryption key once, and tells no key in what it says', () => {
    const twice = problemsOf(() =>
      loadAppConfig({ ...ENOUGH, ENCRYPTION_KEYS: `a:${BYTES_32},a:${BYTES_32}` }),
    );
    expect(twice).toEqual(['ENCRYPTION_KEYS: an id stands there twice']);
    const short = problemsOf(() =>
      loadAppConfig({ ...ENOUGH, ENCRYPTION_KEYS: 'a:c2hvcnQ=', BLIND_INDEX_KEY: 'eA==' }),
    );
    expect(short).toEqual([
      'ENCRYPTION_KEYS: ENCRYPTION_KEYS must be id:key pairs, each key 32 bytes in base64',
      'BLIND_INDEX_KEY: BLIND_INDEX_KEY must be 32 bytes in base64',
    ]);
  });

  it('asks for all of a provider', () => {
    const half = { ...ENOUGH, GOOGLE_CLIENT_ID: 'g', APPLE_CLIENT_ID: 'a', APPLE_TEAM_ID: 'TEAM' };
    expect(problemsOf(() => loadAppConfig(half))).toEqual([
      'GOOGLE_CLIENT_SECRET: required with GOOGLE_CLIENT_ID',
      'APPLE_KEY_ID: required with APPLE_CLIENT_ID',
      'APPLE_PRIVATE_KEY: required with APPLE_CLIENT_ID',
    ]);
  });
});

describe('the rules', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'parley-rules-'));
    cpSync(CONFIG, folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const problems = () => problemsOf(() => loadRules(folder));

  it('of the project are accepted', () => {
    expect(problems()).toEqual([]);
    const rules = loadRules(folder);
    expect(rules.pools).toMatchObject({
      zone: 'America/New_York',
      startingCredits: 1000,
      fill: 'even',
      maxSize: 100,
    });
    expect(rules.rateLimits.anonymous).toEqual({ limit: 10, seconds: 60 });
    expect(rules.auth.argon2).toEqual({ memoryCost: 65_536, timeCost: 3, parallelism: 1 });
  });

  it('are refused with a file that nobody knows', () => {
    write('moneyback.yml', 'days: 30\n');
    expect(problems()).toEqual(['moneyback: property moneyback should not exist']);
  });

  it('are refused with a key that nobody knows, at any depth', () => {
    write('pools.yml', `${read('pools.yml')}\nmaxSise: 50\n`);
    write('rate-limits.yml', read('rate-limits.yml').replace('limit: 10,', 'limit: 10, burst: 5,'));
    expect(problems()).toEqual([
      'pools.maxSise: property maxSise should not exist',
      'rateLimits.anonymous.burst: property burst should not exist',
    ]);
  });

  it('are refused with values of another type or out of range', () => {
    write(
      'pools.yml',
      read('pools.yml')
        .replace(/^maxSize: .*$/m, "maxSize: '100'")
        .replace(/^fill: .*$/m, 'fill: some'),
    );
    write('prizes.yml', read('prizes.yml').replace(/^split: .*$/m, 'split: [50, -30]'));
    write('auth.yml', read('auth.yml').replace('memoryCost: 65536', 'memoryCost: 64'));
    expect(problems().map((line) => line.split(':', 1)[0])).toEqual(
      expect.arrayContaining(['pools.maxSize', 'pools.fill', 'prizes.split', 'auth.argon2.memoryCost']),
    );
  });

  it('are refused without one of the files', () => {
    rmSync(join(folder, 'settlement.yml'));
    write('sports.yml', '');
    expect(problems()).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^settlement: .*missing/),
        expect.stringMatching(/^sports: /),
      ]),
    );
  });

  it('are refused with what is no YAML, together with everything else', () => {
    write('pools.yml', 'zone: [\n');
    write('moneyback.yml', 'days: 30\n');
    const found = problems();
    expect(found.some((line) => line.startsWith('pools.yml: '))).toBe(true);
    expect(found).toContain('moneyback: property moneyback should not exist');
  });

  it('are refused where there is no folder', () => {
    expect(problemsOf(() => loadRules(join(folder, 'nowhere')))).toEqual([
      `CONFIG_DIR: there is no folder ${join(folder, 'nowhere')}`,
    ]);
  });
});
