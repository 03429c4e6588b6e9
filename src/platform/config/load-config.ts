import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ClassConstructor, plainToInstance } from 'class-transformer';
import { getMetadataStorage, type ValidationError, validateSync } from 'class-validator';
import { parse } from 'yaml';
import { AppConfig } from './app-config.js';
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
  if (typeof known['JWT_PRIVATE_KEY'] === 'string')
    known['JWT_PRIVATE_KEY'] = known['JWT_PRIVATE_KEY'].replaceAll('\\n', '\n');
  const config = plainToInstance(AppConfig, known, { exposeDefaultValues: true });
  const problems = problemsOf(config);
  if (config.NODE_ENV === 'production') {
    if (config.CLOCK_MODE === 'movable')
      problems.push('CLOCK_MODE: the movable clock is refused in production');
    if (config.METRICS_TOKEN === undefined) problems.push('METRICS_TOKEN: required in production');
  }
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
  for (const name of ['pools', 'prizes', 'settlement', 'auth', 'rateLimits', 'sports'] as const)
    if (rules[name] === undefined) problems.push(`${name}: its file is missing in ${folder}`);
  problems.push(...problemsOf(rules));
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
