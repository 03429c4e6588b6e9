import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AppConfig } from './app-config.js';
import { appVariables, loadAppConfig } from './load-config.js';

const ROOT = join(import.meta.dirname, '../../..');
const SECRETS = [
  'JWT_PRIVATE_KEY',
  'ENCRYPTION_KEYS',
  'BLIND_INDEX_KEY',
  'TWILIO_AUTH_TOKEN',
  'CAPTCHA_SECRET',
  'GOOGLE_CLIENT_SECRET',
  'APPLE_PRIVATE_KEY',
  'STRIPE_SECRET_KEY',
  'STRIPE_WEBHOOK_SECRET',
  'STRIPE_IDENTITY_KEY',
  'STRIPE_IDENTITY_WEBHOOK_SECRET',
  'METRICS_TOKEN',
  'SANDBOX_WEBHOOK_SECRET',
  'MTN_MOMO_COLLECTION_KEY',
  'MTN_MOMO_COLLECTION_SUBSCRIPTION',
  'MTN_MOMO_DISBURSEMENT_KEY',
  'MTN_MOMO_DISBURSEMENT_SUBSCRIPTION',
  'AIRTEL_CLIENT_SECRET',
  'AIRTEL_ENCRYPTED_PIN',
  'AIRTEL_CALLBACK_KEY',
  'GEO_EDGE_SECRET',
  'ODDS_API_KEY',
];
const KEY = '-----BEGIN PRIVATE KEY-----\\nMC4=\\n-----END PRIVATE KEY-----\\n';

describe('.env.example', () => {
  const lines = readFileSync(join(ROOT, '.env.example'), 'utf8').trimEnd().split('\n');
  const values = Object.fromEntries(
    lines
      .filter((line) => /^[A-Z]/.test(line))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );

  it('has every variable, once, and no other', () => {
    const named = lines.filter((line) => /^[A-Z]/.test(line)).map((line) => line.split('=', 1)[0]);
    expect(named).toEqual([...new Set(named)]);
    expect(new Set(named)).toEqual(appVariables);
  });

  it('consists of comments, variables and empty lines only', () => {
    expect(lines.filter((line) => !/^(#( .*)?|[A-Z_]+=.*|)$/.test(line))).toEqual([]);
  });

  it('explains each variable in the line before it', () => {
    const bare = lines.filter((line, index) => /^[A-Z]/.test(line) && !/^# \S/.test(lines[index - 1] ?? ''));
    expect(bare).toEqual([]);
  });

  it('holds no secret', () => {
    expect(SECRETS.filter((name) => values[name] !== '')).toEqual([]);
    expect(Object.values(values).filter((value) => /:\/\/[^/@]*:[^/@]+@/.test(value))).toEqual([]);
  });

  it('shows the defaults, and is accepted once the key is filled in', () => {
    const shown = loadAppConfig({ ...values, JWT_PRIVATE_KEY: KEY });
    const { DATABASE_URL, REDIS_URL, JWT_PRIVATE_KEY } = shown;
    expect(shown).toEqual(Object.assign(new AppConfig(), { DATABASE_URL, REDIS_URL, JWT_PRIVATE_KEY }));
  });
});
