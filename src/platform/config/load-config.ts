import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ClassConstructor, plainToInstance } from 'class-transformer';
import { getMetadataStorage, type ValidationError, validateSync } from 'class-validator';
import { parse } from 'yaml';
import { AppConfig } from './app-config.js';
import { feedsProblems } from './feeds-config.js';
import { kycProblems } from './kyc-config.js';
import { forgottenCurrencies } from './jurisdiction-rules.js';
import { mobileMoneyProblems } from './mobile-money-config.js';
import { oauthProblems } from './oauth-config.js';
import { paymentsProblems } from './payments-config.js';
import { productionProblems } from './production-problems.js';
import { Rules } from './rules.js';

/** Thrown at boot with the whole list of what is wrong, one line each. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length} problem(s):\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}

/** Reads the environment once. An empty variable counts as absent. */
export function loadAppConfig(env: Record<string, string | undefined> = process.env): AppConfig {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const known = Object.fromEntries(Object.entries(given).filter(([name]) => appVariables.has(name)));
  for (const name of ['JWT_PRIVATE_KEY', 'JWT_RETIRED_KEYS'])
    if (typeof known[name] === 'string') known[name] = known[name].replaceAll('\\n', '\n');
  const config = plainToInstance(AppConfig, known, { exposeDefaultValues: true });
  const problems = problemsOf(config);
  if (config.MAIL_SENDER === 'smtp' && config.SMTP_URL === undefined)
    problems.push('SMTP_URL: required with MAIL_SENDER=smtp');
  if (config.NODE_ENV === 'production') problems.push(...productionProblems(config));
  const keyIds = config.ENCRYPTION_KEYS.map((entry) => entry.split(':', 1)[0]);
  if (new Set(keyIds).size < keyIds.length) problems.push('ENCRYPTION_KEYS: an id stands there twice');
  if (config.SMS_SENDER === 'twilio')
    for (const name of ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_FROM'] as const)
      if (config[name] === undefined) problems.push(`${name}: required with SMS_SENDER=twilio`);
  if (['hcaptcha', 'turnstile'].includes(config.CAPTCHA_PROVIDER) && config.CAPTCHA_SECRET === undefined)
    problems.push(`CAPTCHA_SECRET: required with CAPTCHA_PROVIDER=${config.CAPTCHA_PROVIDER}`);
  problems.push(
    ...oauthProblems(config),
    ...kycProblems(config),
    ...feedsProblems(config),
    ...paymentsProblems(config),
    ...mobileMoneyProblems(config),
  );
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** The variables the application reads: those that AppConfig declares with a validator. */
export const appVariables: ReadonlySet<string> = new Set(
  getMetadataStorage()
    .getTargetValidationMetadatas(AppConfig, '', true, false)
    .map((metadata) => metadata.propertyName),
);

/** Reads every `*.yml` of the folder into one typed object; an unknown file or key is a problem as well. */
export function loadRules(directory: string): Rules {
  const folder = resolve(directory);
  const raw: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const file of ymlFilesIn(folder)) {
    const property = file.slice(0, -4).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    try {
      raw[property] = parse(readFileSync(join(folder, file), 'utf8'));
    } catch (error) {
      problems.push(`${file}: ${(error as Error).message.split('\n')[0] ?? 'not YAML'}`);
    }
  }
  const rules = plainToInstance(Rules, raw);
  for (const name of [
    'pools',
    'bets',
    'prizes',
    'settlement',
    'auth',
    'rateLimits',
    'sports',
    'privacy',
    'people',
    'payments',
    'withdrawals',
    'realtime',
    'jurisdictions',
    'compliance',
  ] as const)
    if (rules[name] === undefined) problems.push(`${name}: its file is missing in ${folder}`);
  problems.push(...problemsOf(rules));
  if (problems.length === 0)
    problems.push(...forgottenCurrencies(rules.jurisdictions, Object.keys(rules.payments.deposits)));
  if (problems.length > 0) throw new ConfigError(problems);
  return rules;
}

function ymlFilesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.yml'));
  } catch {
    throw new ConfigError([`CONFIG_DIR: there is no folder ${folder}`]);
  }
}

function problemsOf(instance: InstanceType<ClassConstructor<object>>): string[] {
  const errors = validateSync(instance, {
    whitelist: true,
    forbidNonWhitelisted: true,
    skipMissingProperties: false,
  });
  return errors.flatMap((error) => flatten(error, ''));
}

function flatten(error: ValidationError, path: string): string[] {
  const here = path === '' ? error.property : `${path}.${error.property}`;
  const own = Object.values(error.constraints ?? {}).map((message) => `${here}: ${message}`);
  return [...own, ...(error.children ?? []).flatMap((child) => flatten(child, here))];
}
