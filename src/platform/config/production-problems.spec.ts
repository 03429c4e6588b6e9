import { describe, expect, it } from '@jest/globals';
import { ConfigError, loadAppConfig } from './load-config.js';

const KEY_OF_BYTES = Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('base64');
const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://127.0.0.1/parley',
  REDIS_URL: 'redis://127.0.0.1',
  JWT_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n',
  METRICS_TOKEN: 'x'.repeat(16),
  ENCRYPTION_KEYS: `new:${KEY_OF_BYTES},old:${KEY_OF_BYTES}`,
  BLIND_INDEX_KEY: KEY_OF_BYTES,
  PUBLIC_URL: 'https://api.example.com',
  DOCUMENTS_DIR: '/var/lib/parley/documents',
};

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    loadAppConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the environment of production', () => {
  it('is enough with its secrets and the address that clients know', () => {
    expect(problemsOf(PRODUCTION)).toEqual([]);
  });

  it('has no movable clock, and guards its metrics', () => {
    const { DATABASE_URL, REDIS_URL, JWT_PRIVATE_KEY, NODE_ENV } = PRODUCTION;
    expect(problemsOf({ DATABASE_URL, REDIS_URL, JWT_PRIVATE_KEY, NODE_ENV, CLOCK_MODE: 'movable' })).toEqual(
      [
        'CLOCK_MODE: the movable clock is refused in production',
        'METRICS_TOKEN: required in production',
        'BLIND_INDEX_KEY: required in production',
        'DOCUMENTS_DIR: must be the absolute path of a folder that outlives the process in production',
        'ENCRYPTION_KEYS: required in production',
        'PUBLIC_URL: must be the https origin under which this API is reached in production',
      ],
    );
  });

  it('books no play money of mobile money as real', () => {
    const id = '019aa5b4-0000-4000-8000-000000000001';
    const playing = { ...PRODUCTION, MTN_MOMO_COLLECTION_USER: id, AIRTEL_CLIENT_ID: id };
    const refused = ['MTN_MOMO_ENVIRONMENT: the sandbox is refused', 'AIRTEL_API_URL: staging is refused'];
    const real = { MTN_MOMO_ENVIRONMENT: 'mtnuganda', AIRTEL_API_URL: 'https://openapi.airtel.africa' };
    expect(problemsOf(playing).filter((line) => line.endsWith('refused in production'))).toEqual(
      refused.map((line) => `${line} in production`),
    );
    expect(problemsOf({ ...playing, ...real }).filter((line) => !line.includes(': required with '))).toEqual(
      [],
    );
  });

  it('replays no season that everybody can look up, and follows no feed that is half configured', () => {
    const of = (env: object) => problemsOf({ ...PRODUCTION, ...env });
    expect(of({ SPORTS_FEEDS: 'replay' })).toEqual([
      'SPORTS_FEEDS: replay is refused in production, where everybody can look its results up',
    ]);
    expect(of({ SPORTS_FEEDS: 'odds-api,csv' })).toEqual([
      'ODDS_API_KEY: required with the feed odds-api',
      'SPORTS_CSV_DIR: required with the feed csv',
    ]);
    const key = { SPORTS_FEEDS: 'odds-api', ODDS_API_KEY: 'a'.repeat(32) };
    expect(of(key)).toEqual([]);
    expect(of({ ...key, ODDS_API_URL: 'http://odds.example.com' })).toEqual([
      'ODDS_API_URL: must be https in production',
    ]);
    expect(of({ ...key, SPORTS_FEEDS: 'odds-api,odds-api' })).toEqual([
      'SPORTS_FEEDS: a feed stands there twice',
    ]);
    expect(of({ SPORTS_FEEDS: 'tips' })).toEqual([
      'SPORTS_FEEDS: SPORTS_FEEDS must be of replay, odds-api, csv',
    ]);
  });

  it('has a sandbox only on purpose, and under a secret of its own', () => {
    const on = { ...PRODUCTION, PAYMENTS_SANDBOX: 'on' };
    expect(problemsOf(on)).toEqual([
      'SANDBOX_WEBHOOK_SECRET: required in production with PAYMENTS_SANDBOX=on',
    ]);
    expect(problemsOf({ ...on, SANDBOX_WEBHOOK_SECRET: 'x'.repeat(32) })).toEqual([]);
    expect(problemsOf({ ...on, SANDBOX_WEBHOOK_SECRET: 'x'.repeat(31) })).not.toEqual([]);
  });

  it('has no sandbox beside real money', () => {
    const both = {
      ...PRODUCTION,
      PAYMENTS_SANDBOX: 'on',
      SANDBOX_WEBHOOK_SECRET: 'x'.repeat(32),
      STRIPE_WEBHOOK_SECRET: 'whsec_12345678',
    };
    expect(problemsOf({ ...both, STRIPE_SECRET_KEY: 'sk_test_12345678' })).toEqual([]);
    const refused = [expect.stringContaining('PAYMENTS_SANDBOX: refused beside real money')];
    expect(problemsOf({ ...both, STRIPE_SECRET_KEY: 'rk_live_12345678' })).toEqual(refused);
    expect(problemsOf({ ...both, AIRTEL_CLIENT_ID: 'x' })).toEqual(expect.arrayContaining(refused));
  });

  it('believes an edge only behind proxies that it knows, and under a real secret', () => {
    const edge = { ...PRODUCTION, GEO_EDGE_SECRET: 'x1'.repeat(16), TRUSTED_PROXIES: '172.30.93.0/24' };
    expect(problemsOf(edge)).toEqual([]);
    expect(problemsOf({ ...edge, GEO_EDGE_SECRET: `${edge.GEO_EDGE_SECRET},${'y2'.repeat(16)}` })).toEqual(
      [],
    );
    expect(problemsOf({ ...edge, TRUSTED_PROXIES: '' })).toEqual([
      'TRUSTED_PROXIES: required with GEO_EDGE_SECRET, which signs for the address of the client',
    ]);
    expect(problemsOf({ ...edge, GEO_EDGE_SECRET: 'x'.repeat(32) })).not.toEqual([]);
    expect(
      problemsOf({ ...edge, GEO_EDGE_SECRET: `${edge.GEO_EDGE_SECRET},${'y2'.repeat(15)}` }),
    ).not.toEqual([]);
  });

  it.each([
    ['PUBLIC_URL', 'http://127.0.0.1:3000'],
    ['PUBLIC_URL', 'https://localhost'],
    ['PUBLIC_URL', 'https://127.0.0.2:8443'],
    ['PUBLIC_URL', 'https://[::1]'],
    ['PUBLIC_URL', 'https://[::ffff:127.0.0.1]'],
    ['TWILIO_API_URL', 'http://sms.example.com'],
    ['CAPTCHA_VERIFY_URL', 'http://captcha.example.com/verify'],
    ['GOOGLE_ISSUER', 'http://127.0.0.1:4000'],
    ['STRIPE_API_BASE', 'http://127.0.0.1:4000'],
    ['MTN_MOMO_API_URL', 'http://127.0.0.1:4000'],
    ['AIRTEL_API_URL', 'http://127.0.0.1:4000'],
    ['SANDBOX_WEBHOOK_SECRET', 'x'.repeat(32)],
    ['OAUTH_REDIRECT_URLS', 'https://app.example.com,http://localhost:8080'],
    ['OAUTH_REDIRECT_URLS', 'https://localhost/signed-in'],
    ['ENCRYPTION_KEYS', `new:${KEY_OF_BYTES},old:${Buffer.alloc(32).toString('base64')}`],
    ['GEO_LOCAL_PLACE', 'US-CO'],
    ['BLIND_INDEX_KEY', Buffer.alloc(32, 0xff).toString('base64')],
  ])('is refused with %s=%s, and that of development is not', (name, value) => {
    const named = problemsOf({ ...PRODUCTION, [name]: value });
    expect(named.map((line) => line.split(':', 1)[0])).toEqual([name]);
    expect(problemsOf({ ...PRODUCTION, NODE_ENV: 'development', [name]: value })).toEqual([]);
  });
});
