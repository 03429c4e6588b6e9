import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { errorCode } from '../embedded/server-process.js';

/** The rules of `config/` that these scripts tell or check against. */
export interface PublishedRules {
  readonly zone: string;
  readonly startingCredits: number;
  readonly buyBackCredits: number;
  readonly maxStake: number;
  readonly termsVersion: string;
  readonly potPerPool: number;
  readonly minStaked: number;
}

/**
 * Goes to the project's folder and reads its `.env`, if there is one; what the environment says already stays.
 * Returns the folder that keeps data, keys and logs (PARLEY_DATA_DIR, by default `.local`).
 */
export function prepareEnvironment(): string {
  process.chdir(projectFolder());
  if (existsSync('.env')) process.loadEnvFile('.env');
  const dataDir = resolve(variable('PARLEY_DATA_DIR') ?? '.local');
  mkdirSync(join(dataDir, 'logs'), { recursive: true });
  return dataDir;
}

/** A variable of the environment; an empty one counts as absent. */
export function variable(name: string): string | undefined {
  return process.env[name] === '' ? undefined : process.env[name];
}

/** A port from the environment. Throws with a sentence when it is none. */
export function portVariable(name: string, preferred: number): number {
  const text = variable(name);
  if (text === undefined) return preferred;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new Error(`${name} is "${text}", which is no port: set it to a number from 0 to 65535.`);
  return port;
}

/** An Ed25519 key that signs access tokens. */
export function newSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** 32 bytes in base64: a key of what is encrypted, or of a blind index. */
export function newSymmetricKey(): string {
  return randomBytes(32).toString('base64');
}

/** A word for the demo accounts, of the length the API asks for. */
export function newPassword(): string {
  return randomBytes(9).toString('base64url');
}

/** A secret kept in a file that only its owner reads, made on the first start. */
export function keptSecret(file: string, make: () => string): string {
  try {
    writeFileSync(file, make(), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8');
}

/** Writes an environment where only its owner reads it, for `node --env-file` of commands beside the running system. */
export function writeEnvironment(file: string, environment: NodeJS.ProcessEnv): void {
  const lines = Object.entries(environment).map(([name, value]) => `${name}="${value ?? ''}"\n`);
  writeFileSync(file, lines.join(''), { mode: 0o600 });
}

/** Reads what is needed of `config/*.yml`; the product itself judges whether they are right. */
export function readPublishedRules(): PublishedRules {
  const read = (file: string): unknown => parse(readFileSync(join('config', file), 'utf8'));
  return {
    ...(read('pools.yml') as Pick<
      PublishedRules,
      'zone' | 'startingCredits' | 'buyBackCredits' | 'maxStake'
    >),
    ...(read('auth.yml') as Pick<PublishedRules, 'termsVersion'>),
    ...(read('prizes.yml') as Pick<PublishedRules, 'potPerPool' | 'minStaked'>),
  };
}

function projectFolder(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error('package.json is missing: run this inside the project.');
  }
}
