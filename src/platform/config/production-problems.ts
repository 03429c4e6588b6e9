import { isAbsolute } from 'node:path';
import type { AppConfig } from './app-config.js';
import { feedsPlayedAgain } from './feeds-config.js';
import { geoProblems } from './geo-config.js';
import { mobileMoneyPlayMoney } from './mobile-money-config.js';
import { sandboxProblems } from './sandbox-config.js';

/** What is called, mailed or handed out under these must not be read on the way. */
const HTTPS = [
  'TWILIO_API_URL',
  'CAPTCHA_VERIFY_URL',
  'GOOGLE_ISSUER',
  'APPLE_ISSUER',
  'STRIPE_API_BASE',
  'MTN_MOMO_API_URL',
  'AIRTEL_API_URL',
  'ODDS_API_URL',
] as const;
const REQUIRED = ['METRICS_TOKEN', 'BLIND_INDEX_KEY'] as const;
const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1?\]|\[::ffff:7f[^\]]*\])\.?$/i;

/** What is good enough for development and refused in production. */
export function productionProblems(config: AppConfig): string[] {
  const problems: string[] = [];
  if (config.CLOCK_MODE === 'movable')
    problems.push('CLOCK_MODE: the movable clock is refused in production');
  problems.push(
    ...mobileMoneyPlayMoney(config),
    ...sandboxProblems(config),
    ...geoProblems(config),
    ...feedsPlayedAgain(config),
  );
  if (config.PAYMENTS_SANDBOX === 'on' && paysForReal(config))
    problems.push('PAYMENTS_SANDBOX: refused beside real money, as which its play money could be withdrawn');
  if (config.MAIL_SENDER === 'smtp' && !config.APP_URL.startsWith('https:'))
    problems.push('APP_URL: mailed links must be https in production');
  for (const name of REQUIRED)
    if (config[name] === undefined) problems.push(`${name}: required in production`);
  if (!isAbsolute(config.DOCUMENTS_DIR))
    problems.push(
      'DOCUMENTS_DIR: must be the absolute path of a folder that outlives the process in production',
    );
  if (config.ENCRYPTION_KEYS.length === 0) problems.push('ENCRYPTION_KEYS: required in production');
  for (const name of HTTPS)
    if (config[name]?.startsWith('http:')) problems.push(`${name}: must be https in production`);
  if (!config.PUBLIC_URL.startsWith('https:') || isLoopback(config.PUBLIC_URL))
    problems.push('PUBLIC_URL: must be the https origin under which this API is reached in production');
  if (config.OAUTH_REDIRECT_URLS.some((url) => url.startsWith('http:') || isLoopback(url)))
    problems.push('OAUTH_REDIRECT_URLS: must be https in production, and not this machine');
  if (config.ENCRYPTION_KEYS.some((entry) => isOneByte(entry.slice(entry.indexOf(':') + 1))))
    problems.push('ENCRYPTION_KEYS: a key is one byte repeated; make it by openssl rand -base64 32');
  if (config.BLIND_INDEX_KEY !== undefined && isOneByte(config.BLIND_INDEX_KEY))
    problems.push('BLIND_INDEX_KEY: is one byte repeated; make it by openssl rand -base64 32');
  return problems;
}

function paysForReal(config: AppConfig): boolean {
  const { STRIPE_SECRET_KEY, MTN_MOMO_COLLECTION_USER, AIRTEL_CLIENT_ID } = config;
  return (
    STRIPE_SECRET_KEY?.includes('_live_') === true ||
    MTN_MOMO_COLLECTION_USER !== undefined ||
    AIRTEL_CLIENT_ID !== undefined
  );
}

/** What is no address at all is told by its own check. */
function isLoopback(url: string): boolean {
  return LOOPBACK.test(URL.parse(url)?.hostname ?? '');
}

function isOneByte(base64: string): boolean {
  return new Set(Buffer.from(base64, 'base64')).size === 1;
}
